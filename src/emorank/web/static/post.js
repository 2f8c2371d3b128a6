// Forms are sent by fetch: without a referrer, a browser's own form POST has no origin that the
// server could check. A form with data-tell says why it was refused; another one loads the page anew.
"use strict";
for (const form of document.querySelectorAll("form[data-post]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const late = setTimeout(() => tell(form, form.dataset.waiting ?? "Waiting for the server …"), 2000);
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)),
      });
      if (!answer.ok && "tell" in form.dataset) {
        const { detail } = await answer.json();
        tell(form, `${detail[0].toUpperCase()}${detail.slice(1)}.`);
        button.disabled = false;
        return;
      }
      // In place of this page: the Back button must not lead to a link that is used up.
      location.replace(answer.ok ? answer.url : location.href);
    } catch {
      // The link is still good.
      tell(form, form.dataset.silent ?? "The server does not answer. Please try again.");
      button.disabled = false;
    } finally {
      clearTimeout(late);
    }
  });
}

function tell(form, text) {
  let line = form.querySelector("[role=status]");
  if (!line) {
    line = document.createElement("p");
    line.setAttribute("role", "status");
    form.append(line);
  }
  line.textContent = text;
}

// A page that comes from the browser's memory may be out of date: the link is claimed meanwhile.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

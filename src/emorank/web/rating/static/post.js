// Forms are sent by fetch: without a referrer, a browser's own form POST has no origin that the
// server could check.
"use strict";
for (const form of document.querySelectorAll("form[data-post]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST" });
      location.assign(answer.ok ? answer.url : location.href);
    } catch {
      button.disabled = false; // the server could not be reached; the link is still good
    }
  });
}

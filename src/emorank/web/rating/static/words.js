// What the page says, and where.

const $ = (id) => document.getElementById(id);

export function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 60) return "less than a minute left";
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} min left`;
  return `about ${(minutes / 60).toFixed(1)} hours left`;
}

// Where answers are that the server has not confirmed; nothing if there are none.
export function unsaved(count, kept) {
  if (!count) return "";
  const [answers, them] = count === 1 ? ["1 answer", "it"] : [`${count} answers`, "them"];
  return `${answers} not stored yet: ${kept ? `this browser keeps ${them}` : "leave this page open"}.`;
}

// Short, so that on a telephone it covers the line of the progress only.
export const waiting = () => (navigator.onLine === false ? "No network …" : "Waiting for the server …");

// Spoken only after a pause: a screen reader cannot follow faster.
let speech = null;
export function say(text) {
  clearTimeout(speech);
  speech = setTimeout(() => { $("spoken").textContent = text; }, 400);
}

// A line above the page. What ends the work is spoken at once, what passes in turn.
export function trouble(text, ends = false) {
  const line = $("trouble");
  line.parentElement.setAttribute("role", ends ? "alert" : "status");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
}

export function end(heading, text) {
  $("room").hidden = true;
  if (heading) $("end-heading").textContent = heading;
  if (text) $("end-text").textContent = text;
  $("end").hidden = false;
  $("end").focus();
}

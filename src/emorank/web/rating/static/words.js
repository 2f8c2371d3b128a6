// What the page says, and where.
import { word } from "./language.js";

const $ = (id) => document.getElementById(id);

export function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 60) return word("minute");
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return word("minutes", { number: minutes });
  const hours = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  return word("hours", { number: hours.format(minutes / 60) });
}

// Where answers are that the server has not confirmed; nothing if there are none.
export const unsaved = (count, kept) => (count ? word(kept ? "kept" : "unkept", { count }) : "");

// Short, so that on a telephone it covers the line of the progress only.
export const waiting = () => word(navigator.onLine === false ? "offline" : "slow");

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

// When an answer counts: after the face on the screen has been seen for the shortest viewing time, and
// no finger is down that was down before. So the second click of a double click, a key that is held,
// and keys that are pressed without looking say nothing about a face that nobody has seen.
//
// Times are those of events: a press that the browser delivers late counts from when it was made.

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "Fn"]);
const CLICK_AFTER = 400; // ms; a click follows the release of its own press within this time

let shortest = 0;
let changed = () => {};
let shownAt = null; // when the face was painted; null while there is none to answer
let openedAt = null; // since when an answer counts
let hidden = 0; // ms that the page was hidden since the face was painted
let hiddenSince = null;
let timer = null;
const down = new Set(); // keys and pointers that are pressed
let press = null; // the newest: {at, up}

// `told` is called with true when answers begin to count, and with false when they do not any longer.
export function watch(milliseconds, told) {
  shortest = milliseconds;
  changed = told;
  const options = { capture: true, passive: true };
  addEventListener("pointerdown", (event) => {
    if (event.button === 0) begin(event, event.pointerId);
  }, options);
  addEventListener("keydown", (event) => {
    if (!event.repeat && !MODIFIERS.has(event.key)) begin(event, event.code);
  }, options);
  addEventListener("pointerup", (event) => end(event, event.pointerId), options);
  addEventListener("pointercancel", (event) => end(event, event.pointerId), options);
  addEventListener("keyup", (event) => end(event, event.code), options);
  addEventListener("blur", forget); // what is released elsewhere, this page does not hear
  document.addEventListener("visibilitychange", () => {
    const now = performance.now();
    if (document.hidden) {
      hiddenSince = now;
      forget();
    } else if (hiddenSince !== null) {
      hidden += now - Math.max(hiddenSince, shownAt ?? now);
      hiddenSince = null;
    }
    look();
  });
}

function begin(event, name) {
  // A script's event is no finger, and a Mac does not tell that a key was released under Command.
  if (!event.isTrusted || event.metaKey) return;
  press = { at: event.timeStamp, up: null };
  down.add(name);
}

function end(event, name) {
  if (press) press.up = event.timeStamp;
  down.delete(name);
  look();
}

function forget() {
  down.clear();
  look();
}

export function shut() {
  shownAt = null;
  openedAt = null;
  clearTimeout(timer);
  changed(false);
}

export function show(paintedAt) {
  if (shownAt !== null) return; // it is on the screen already
  shownAt = paintedAt;
  hidden = 0;
  hiddenSince = document.hidden ? paintedAt : null;
  look();
}

function look() {
  clearTimeout(timer);
  if (shownAt === null || openedAt !== null || hiddenSince !== null) return;
  const now = performance.now();
  const left = shortest - seen(now);
  if (left > 0) {
    timer = setTimeout(look, left);
  } else if (!down.size) {
    openedAt = now;
    changed(true);
  }
}

// Whether a keydown or a click answers. A click belongs to the press before it; one without a press
// is a screen reader's.
export function counts(event) {
  if (openedAt === null) return false;
  const own = event.type === "click" && press
    && (press.up === null || event.timeStamp - press.up < CLICK_AFTER);
  return (own ? press.at : event.timeStamp) >= openedAt;
}

// For how long the face had been seen, and how long the page was hidden meanwhile, in ms.
export const seen = (at) => at - shownAt - hiddenFor(at);
export const hiddenFor = (at) =>
  hidden + (hiddenSince === null ? 0 : Math.max(0, at - Math.max(hiddenSince, shownAt)));

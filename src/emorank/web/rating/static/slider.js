// The slider from 0 to 100. Nothing shows where it stands before the rater has touched it, so that no
// position is suggested, and nobody can answer without having chosen one. A touch or a click puts it
// there; the first key puts it into the middle, the next ones move it from there.

const input = document.getElementById("slider");
const confirm = document.getElementById("confirm");
const STEPS = new Map([
  ["ArrowLeft", -1], ["ArrowDown", -1], ["ArrowRight", 1], ["ArrowUp", 1],
  ["PageDown", -10], ["PageUp", 10], ["Home", -100], ["End", 100],
]);
let touched = false;
let open = false;

export const used = input !== null;

// Called with the answer, as a word, and the event that gave it.
export function watch(answered) {
  if (!used) return;
  input.addEventListener("input", () => touch());
  input.addEventListener("pointerdown", () => touch());
  confirm.addEventListener("click", (event) => { if (touched) answered(input.value, event); });
}

// Stand where the rater's own answer was; without one nowhere.
export function show(answer) {
  if (!used) return;
  const known = answer !== null && /^\d+$/.test(answer);
  touched = known;
  input.value = known ? answer : "50";
  look();
}

export function ready(now) {
  open = now;
  if (used) look();
}

// Whether a key was the slider's; `answered` is called if it gave the answer.
export function key(event, answered) {
  if (!used) return false;
  const step = STEPS.get(event.key);
  if (step !== undefined) {
    event.preventDefault();
    input.focus({ preventScroll: true }); // so that Enter is the answer, and no press of another button
    if (touched) input.value = String(Number(input.value) + step);
    else if (Math.abs(step) === 100) input.value = step < 0 ? "0" : "100";
    touch();
    return true;
  }
  const elsewhere = event.target.closest?.("button, a") && event.target !== confirm;
  if (event.key !== "Enter" || elsewhere) return false;
  event.preventDefault();
  if (touched && !event.repeat) answered(input.value, event);
  return true;
}

function touch() {
  touched = true;
  look();
}

function look() {
  input.classList.toggle("untouched", !touched);
  input.setAttribute("aria-valuetext", touched ? input.value : input.dataset.unset);
  confirm.setAttribute("aria-disabled", String(!(open && touched)));
}

if (used) input.dataset.unset = input.getAttribute("aria-valuetext");

// The rater's page: which face is on the screen, and its answer.
//
// Because of these rules no vote is lost, counted twice, or taken for another picture:
// 1. An answer counts for the picture that is on the screen, once that has been seen for the shortest
//    viewing time (gate.js); earlier ones are ignored here, and refused by the server.
// 2. An answer gets an id here and waits in the browser's storage until the server confirms that it is
//    stored (outbox.js). The page sends one request at a time, so answers arrive in their order. It
//    sends a lost request again with the same ids, and the server stores each id once.
// 3. After a reload the page sends what is still waiting, and shows the first picture without a stored
//    answer, because the server alone decides which picture is next.
import { expose, forget } from "./exposure.js";
import * as gate from "./gate.js";
import { answerOf, showLetters } from "./keys.js";
import { labelOf, word } from "./language.js";
import * as outbox from "./outbox.js";
import { painted, picture, prepare } from "./pictures.js";
import * as slider from "./slider.js";
import { ask, final, insist, wait } from "/static/server.js";
import { end, say, timeLeft, trouble, unsaved, waiting } from "./words.js";

const PAGE = 60; // showings to fetch at a time
const MOST_UNSAVED = 200; // without the server nobody can rate more than this
const DAY = 24 * 60 * 60 * 1000;
const PAUSE = 60000; // a longer time was a pause, and does not count for the time left
const LATE = 2000; // ms without an answer of the server before the page says so

const $ = (id) => document.getElementById(id);
const room = $("room");
const source = room.dataset.source; // of the pictures: of the study, or for practice
const exposure = room.dataset.exposure ? JSON.parse(room.dataset.exposure) : null;
const showings = new Map(); // position → {position, id, emotion, answer, rest, expected}
let total = 0;
let answered = 0;
let place = 0; // the position that is on the screen, or will be
let current = null; // its showing
let leave = () => {}; // ends the waiting for a picture that is not wanted any longer
let pace = []; // ms between answers, the last fifty
let serverPace = null;
let notice = ""; // on the page until the next answer
let stopped = false; // the rating is closed, or the session has ended
let rested = -1; // the position before which the last break was
let shown = null; // {shown, times}: for how long the face was seen, in ms, where that is fixed, and
// how often it began to be shown

// --- Server -------------------------------------------------------------------------------

const late = new Set(); // what the rater waits for, and has been told

// A promise, and words on the page while it is late. `tell` shows them before their time.
function patient(start) {
  const mine = {};
  const tell = () => { late.add(mine); saving(); };
  const timer = setTimeout(tell, LATE);
  return start(tell).finally(() => {
    clearTimeout(timer);
    late.delete(mine);
    saving();
  });
}

const patiently = (what) => patient((tell) => insist(what, (error) => {
  if (final(error) || stopped) throw error;
  tell();
}));

// An <img> does not learn why the server refuses it; a question does.
async function pictureFailed() {
  if (stopped) throw new Error("stopped");
  await patiently((limit) => ask(`${source}?count=1`, undefined, limit));
}

// Send all answers; false if some were not stored, and the page has gone to the right place.
let sending = null;
function send() {
  sending ??= sendAll().finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  const fates = await outbox.send(patiently, saving);
  saving();
  if (!fates.has("stale") && !fates.has("fast")) return true;
  gate.shut();
  current = null;
  showings.clear();
  await resume();
  notice = word(fates.has("stale") ? "elsewhere" : "tooSoon");
  saving();
  return false;
}

function stop(error) {
  if (stopped) return;
  if (error.closed) closed(error.message);
  else halt(error.message);
}

async function showingAt(position) {
  if (position >= total) return null;
  if (!showings.has(position)) await fetchShowings(position);
  return showings.get(position);
}

async function fetchShowings(start) {
  const from = start === undefined ? "" : `start=${start}&`;
  const address = `${source}?${from}count=${PAGE}`;
  const found = await patiently((limit) => ask(address, undefined, limit));
  for (const showing of found.showings) {
    // Answers that are still on their way are newer than the server's.
    if (!showings.has(showing.position)) showings.set(showing.position, showing);
  }
  total = found.standing.total;
  return found.standing;
}

async function resume() {
  const standing = await fetchShowings();
  answered = standing.answered;
  serverPace = standing.pace_ms;
  if (standing.closed) closed();
  else await show(standing.next);
}

async function begin() {
  if (outbox.size()) {
    $("waiting").textContent = word("sending");
    saving();
    if (!await send()) return;
  }
  await resume();
}

// --- The face on the screen ----------------------------------------------------------------

async function show(position) {
  gate.shut();
  leave();
  place = position;
  if (position >= total) {
    current = null;
    finish();
    return;
  }
  const showing = await showingAt(position);
  if (place !== position) return; // the rater went back meanwhile
  if (showing.rest && showing.answer === null && rested !== position) {
    rest(position);
    return;
  }
  current = showing;
  $("end").hidden = true;
  $("rest").hidden = true;
  room.hidden = false;
  if (outbox.size() >= MOST_UNSAVED) {
    busy(word("nextStored"));
    if (!await send()) return;
  }
  let image = await Promise.race([picture(showing, pictureFailed), wait(150)]);
  if (!image) {
    busy(word("loading"));
    const left = new Promise((done) => { leave = done; });
    image = await patient(() => Promise.race([picture(showing, pictureFailed), left]));
  }
  if (current !== showing || stopped || !image) return;
  askAbout(showing.emotion);
  if (exposure) $("face").style.visibility = "hidden";
  $("face").replaceChildren(image);
  $("frame").setAttribute("aria-busy", "false");
  for (const button of document.querySelectorAll("[data-answer]")) {
    button.setAttribute("aria-pressed", String(button.dataset.answer === showing.answer));
  }
  slider.show(showing.answer);
  progress();
  prepare(position, showingAt, pictureFailed).catch(stop);
  if (exposure) {
    const here = () => current === showing && place === position && !stopped;
    const seen = await expose(
      exposure, showing.id, () => document.hidden || $("help").open, here);
    shown = seen;
    if (seen && here()) gate.show(seen.onset);
    return;
  }
  const now = await painted();
  if (current === showing && !stopped) gate.show(now);
}

function rest(position) {
  current = null;
  rested = position;
  room.hidden = true;
  $("rest-text").textContent = word("rest", { number: position, total });
  $("rest").hidden = false;
  $("rest-on").focus();
}

function askAbout(emotion) {
  const place = $("word");
  if (place.textContent === emotion) return;
  place.textContent = emotion;
  place.classList.remove("new");
  void place.offsetWidth; // restarts the animation
  place.classList.add("new");
}

function busy(text) {
  $("waiting").textContent = text;
  $("frame").setAttribute("aria-busy", "true");
}

gate.watch(Number(room.dataset.shortest), (open) => {
  room.dataset.ready = open ? "yes" : "no";
  // Not `disabled`, which would take the focus away.
  for (const button of document.querySelectorAll("[data-answer]")) {
    button.setAttribute("aria-disabled", String(!open));
  }
  slider.ready(open);
});

// --- Answers ------------------------------------------------------------------------------

const bounded = (ms) => Math.max(0, Math.min(DAY, Math.round(ms)));

function answer(given, event) {
  if (stopped || !gate.counts(event)) return;
  const showing = current;
  const seen = gate.seen(event.timeStamp);
  const hidden = gate.hiddenFor(event.timeStamp);
  notice = "";
  const change = showing.answer !== null;
  if (!change) answered += 1;
  if (showing.answer !== given) {
    outbox.add({
      id: outbox.newId(),
      showing: showing.id,
      answer: given,
      reaction_ms: bounded(seen),
      hidden_ms: bounded(hidden),
      change,
      was: showing.answer,
      shown_ms: shown && bounded(shown.shown),
      times_shown: shown && shown.times,
    });
  }
  if (seen + hidden < PAUSE) pace = [...pace.slice(-49), seen + hidden];
  showing.answer = given;
  (document.querySelector(`[data-answer="${CSS.escape(given)}"]`) ?? $("confirm"))?.animate?.(
    [{ filter: "brightness(1.25)" }, { filter: "none" }], 180);
  if (showing.expected) feedback(showing);
  else show(next(showing.position)).catch(stop);
  send().then(finish, stop);
  saving();
}

// In practice: which answer was expected; the next face comes with a button or Enter.
function feedback(showing) {
  gate.shut();
  const [low, high] = showing.limits ?? [];
  const position = Number(showing.answer); // of a word it is no number, and in no range
  const right = showing.limits ? low <= position && position <= high
    : showing.expected === showing.answer;
  const kind = room.dataset.scale === "levels" ? "Expected" : "Awaited";
  $("feedback").textContent = word((right ? "as" : "notAs") + kind,
    { level: labelOf(showing.expected).replace("-", "–") });
  if (exposure) $("face").style.visibility = "visible";
  $("on").hidden = false;
  $("on").focus();
}

function goOn() {
  $("on").hidden = true;
  $("feedback").textContent = "";
  show(next(place)).catch(stop);
}

// The first picture without an answer from here on. What is not fetched yet has none, as far as
// this page has come; before it, everything was answered or fetched.
function next(position) {
  for (let at = position + 1; at < total; at += 1) {
    const showing = showings.get(at);
    if (!showing || showing.answer === null) return at;
  }
  for (const showing of [...showings.values()].sort((a, b) => a.position - b.position)) {
    if (showing.answer === null) return showing.position;
  }
  return total;
}

// A face with a fixed time is seen once, so nobody goes back to it.
function back() {
  if (stopped || exposure || place < 1) return;
  if ($("on")) goOn();
  show(place - 1).catch(stop);
}

// --- Words on the page -------------------------------------------------------------------------

function progress() {
  $("bar").max = Math.max(total, 1);
  $("bar").value = answered;
  $("count").textContent = current
    ? word("picture", { number: current.position + 1, total })
    : word("progress", { number: answered, total });
  const mean = pace.length >= 5 ? pace.reduce((a, b) => a + b, 0) / pace.length : serverPace;
  const left = mean === null || answered >= total ? null : ((total - answered) * mean) / 1000;
  $("left").textContent = timeLeft(left);
  if (current) {
    say(word(current.answer ? "spokenAnswered" : "spoken", {
      emotion: current.emotion,
      number: current.position + 1,
      total,
      answer: current.answer && labelOf(current.answer),
    }));
  }
}

// How many answers are on their way, and what the page waits for.
function saving() {
  const count = outbox.size();
  room.dataset.unsaved = String(count);
  $("saving").textContent = count > 3 ? word("storing", { count }) : "";
  if (!stopped) trouble(late.size ? `${waiting()} ${unsaved(count, outbox.keeps)}` : notice);
}

function finish() {
  if (current || stopped || answered < total) return;
  if (outbox.size()) { // not before all answers are stored
    busy(word("lastStored"));
    return;
  }
  if (exposure) forget();
  end();
  $("end-back").hidden = total === 0 || exposure !== null || source.includes("practice");
  progress();
}

function halt(text) {
  stopped = true;
  gate.shut();
  trouble(text, true);
}

function closed(text) {
  halt("");
  current = null;
  const rest = unsaved(outbox.size(), outbox.keeps); // sent if the owner opens the rating again
  end(word("closed"), `${text || word("closedText")} ${rest}`.trim());
  if ($("end-on")) $("end-on").hidden = true;
  $("end-back").hidden = true;
  progress();
}

// --- Keys and buttons ----------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if ($("help").open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (slider.key(event, answer)) return;
  const given = answerOf(event);
  if (event.repeat) { // a key that is held gives one answer
    if (given || ["Backspace", "Enter", " "].includes(event.key)) event.preventDefault();
  } else if (given) {
    event.preventDefault();
    answer(given, event);
  } else if (event.key === "Backspace") {
    event.preventDefault();
    back();
  } else if (event.key === "?") {
    $("help").showModal();
  }
});

for (const button of document.querySelectorAll("[data-answer]")) {
  button.addEventListener("click", (event) => answer(button.dataset.answer, event));
}
slider.watch(answer);
// A tap on a face of a pair chooses it; the buttons say the same to keyboards and screen readers.
$("face").addEventListener("click", (event) => {
  const half = event.target.closest(".pair > span");
  if (half) answer(half === half.parentElement.firstChild ? "Left" : "Right", event);
});
$("back").addEventListener("click", back);
$("on")?.addEventListener("click", goOn);
$("rest-on").addEventListener("click", () => show(rested).catch(stop));
$("end-back").addEventListener("click", back);
$("menu").addEventListener("click", () => $("help").showModal());
$("elsewhere").addEventListener("click", async () => {
  $("link").textContent = "…";
  try {
    $("link").textContent = (await ask("/rate/link", {})).link;
  } catch (error) {
    $("link").textContent = error.status ? error.message : word("silent");
  }
});

// Before post.js sends the form: who signs out leaves no answers behind.
document.querySelector("form[data-post]").addEventListener("submit", (event) => {
  if (!outbox.size() || stopped) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  $("leaving").textContent = `${unsaved(outbox.size(), outbox.keeps)} ${word("signOut")}`;
}, { capture: true });

addEventListener("pagehide", () => { if (!stopped) outbox.sendAtTheEnd(); });
addEventListener("beforeunload", (event) => {
  if (outbox.size() && !outbox.keeps && !stopped) event.preventDefault();
});
// A page that comes from the browser's memory may be out of date.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
// Network lost or back: the words change.
for (const name of ["online", "offline"]) addEventListener(name, saving);

showLetters();
begin().catch(stop);

// The rater's page: pictures, keys, and answers on their way to the server.
//
// Because of three rules no vote is lost, counted twice, or taken for another picture:
// 1. A key counts for the picture that is on the screen, and only once that picture has been
//    painted; earlier keys, and repetitions of a key that is held, are ignored.
// 2. An answer gets an id here and waits in a queue until the server confirms that it is stored. The
//    page sends one request at a time, so answers arrive in their order. It sends a lost request
//    again with the same ids, and the server stores each id once.
// 3. After a reload the page shows the first picture without a stored answer, because the server
//    alone decides which picture is next.
import { ask, final, insist, wait } from "./server.js";

const PAGE = 60; // showings to fetch at a time
const AHEAD = 8; // pictures to have ready
const BATCH = 50; // answers in one request
const MOST_UNSAVED = 200; // without the server nobody can rate more than this
const DAY = 24 * 60 * 60 * 1000;
const PAUSE = 60000; // a longer time was a pause, and does not count for the time left
const KEYS = { 1: "Minimal", 2: "Average", 3: "Strong", s: "Skip", f: "None" };

const $ = (id) => document.getElementById(id);
const room = $("room");
const showings = new Map(); // position → {position, id, emotion, answer}
const pictures = new Map(); // showing id → promise of an <img> that is decoded
const queue = [];
let total = 0;
let answered = 0;
let current = null; // the showing on the screen
let shownAt = 0; // performance.now() when it was painted
let hidden = 0; // ms hidden since then
let hiddenSince = null;
let pace = []; // ms between answers, the last fifty
let serverPace = null;
let sending = false;
let notice = ""; // on the page until the next answer
let stopped = false; // the rating is closed, or the session has ended

// --- Server -------------------------------------------------------------------------------

async function patiently(what) {
  const result = await insist(what, (error) => {
    if (final(error)) {
      if (error.closed) closed(error.message);
      else halt(error.message);
      throw error;
    }
    trouble(queue.length
      ? `${queue.length} answers are not stored yet: the server does not answer. Trying again …`
      : "The server does not answer. Trying again …");
  });
  if (!stopped) trouble("");
  return result;
}

async function send() {
  if (sending || !queue.length || stopped) return;
  sending = true;
  try {
    while (queue.length) {
      const batch = queue.slice(0, BATCH);
      const result = await patiently(() => ask("/rate/votes", { votes: batch }));
      queue.splice(0, batch.length);
      saving();
      if (result.outcomes.includes("stale")) await elsewhere();
    }
  } catch {
    // patiently() has shown the reason
  } finally {
    sending = false;
    saving();
    finish();
  }
}

// This rater has answered in another browser: the answer that is stored stays.
async function elsewhere() {
  ready(false);
  current = null;
  queue.length = 0;
  showings.clear();
  await resume();
  notice = "You went on elsewhere meanwhile; this is where you are.";
}

async function fetchShowings(start) {
  const from = start === undefined ? "" : `start=${start}&`;
  const found = await patiently(() => ask(`/rate/showings?${from}count=${PAGE}`));
  for (const showing of found.showings) {
    // Answers that are still in the queue are newer than the server's.
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

// --- Pictures -----------------------------------------------------------------------------

function picture(showing) {
  if (!pictures.has(showing.id)) pictures.set(showing.id, load(showing));
  return pictures.get(showing.id);
}

function load(showing) {
  return insist(async () => {
    const image = new Image();
    image.alt = `The face to rate, picture ${showing.position + 1}`;
    image.draggable = false;
    image.src = `/rate/picture/${showing.id}`;
    await image.decode();
    return image;
  }, () => { if (stopped) throw new Error("stopped"); });
}

function prepare(position) {
  for (let next = position + 1; next <= position + AHEAD; next += 1) {
    const showing = showings.get(next);
    if (showing) picture(showing).catch(() => {});
  }
  if (position + 2 * AHEAD < total && !showings.has(position + 2 * AHEAD)) {
    let missing = position + 1;
    while (showings.has(missing)) missing += 1;
    fetchShowings(missing).then(() => prepare(position), () => {});
  }
  for (const [id] of pictures) { // the last few, to go back to at once
    if (pictures.size <= 4 * AHEAD) break;
    pictures.delete(id);
  }
}

const painted = () => new Promise((done) => {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  });
});

async function show(position) {
  ready(false);
  if (position >= total) {
    current = null;
    finish();
    return;
  }
  if (!showings.has(position)) await fetchShowings(position);
  const showing = showings.get(position);
  current = showing;
  $("end").hidden = true;
  room.hidden = false;
  let image = await Promise.race([picture(showing), wait(150)]);
  if (!image) {
    $("frame").setAttribute("aria-busy", "true");
    image = await picture(showing);
  }
  if (current !== showing) return;
  const word = $("word");
  if (word.textContent !== showing.emotion) {
    word.textContent = showing.emotion;
    word.classList.remove("new");
    void word.offsetWidth; // restarts the animation
    word.classList.add("new");
  }
  $("frame").replaceChildren(image);
  $("frame").setAttribute("aria-busy", "false");
  for (const button of document.querySelectorAll("[data-answer]")) {
    button.setAttribute("aria-pressed", String(button.dataset.answer === showing.answer));
  }
  progress();
  prepare(position);
  const now = await painted();
  if (current !== showing || stopped) return;
  shownAt = now;
  hidden = 0;
  hiddenSince = document.hidden ? now : null;
  ready(true);
}

function ready(yes) {
  room.dataset.ready = yes ? "yes" : "no";
  room.dataset.showing = yes && current ? current.id : "";
}

document.addEventListener("visibilitychange", () => {
  const now = performance.now();
  if (document.hidden) {
    hiddenSince = now;
  } else if (hiddenSince !== null) {
    hidden += now - Math.max(hiddenSince, shownAt);
    hiddenSince = null;
  }
});

// --- Answers ------------------------------------------------------------------------------

const bounded = (ms) => Math.max(0, Math.min(DAY, Math.round(ms)));

function newId() {
  // crypto.randomUUID exists only with TLS or on this machine; getRandomValues exists everywhere.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)),
    (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function answer(word) {
  if (room.dataset.ready !== "yes" || stopped || queue.length >= MOST_UNSAVED) return;
  const showing = current;
  const now = performance.now();
  notice = "";
  const change = showing.answer !== null;
  if (!change) answered += 1;
  if (showing.answer !== word) {
    queue.push({
      id: newId(),
      showing: showing.id,
      answer: word,
      reaction_ms: bounded(now - shownAt - hidden),
      hidden_ms: bounded(hidden),
      change,
    });
  }
  if (now - shownAt < PAUSE) pace = [...pace.slice(-49), now - shownAt];
  showing.answer = word;
  document.querySelector(`[data-answer="${word}"]`).animate?.(
    [{ filter: "brightness(1.25)" }, { filter: "none" }], 180);
  show(next(showing.position)).catch(() => {});
  send();
  saving();
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

function back() {
  if (stopped) return;
  const from = current ? current.position : total;
  if (current && room.dataset.ready !== "yes") return;
  if (from > 0) show(from - 1).catch(() => {});
}

// --- Words on the page -------------------------------------------------------------------------

function progress() {
  $("bar").max = Math.max(total, 1);
  $("bar").value = answered;
  $("count").textContent = current
    ? `Picture ${current.position + 1} of ${total}` : `${answered} of ${total}`;
  const seconds = timeLeft();
  $("left").textContent = seconds === null ? "" : duration(seconds);
  if (current) say(`${current.emotion}, picture ${current.position + 1} of ${total}` +
    (current.answer ? `, answered ${current.answer}` : ""));
}

function timeLeft() {
  const mean = pace.length >= 5 ? pace.reduce((a, b) => a + b, 0) / pace.length : serverPace;
  return mean === null || answered >= total ? null : ((total - answered) * mean) / 1000;
}

function duration(seconds) {
  if (seconds < 60) return "less than a minute left";
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} min left`;
  return `about ${(minutes / 60).toFixed(1)} hours left`;
}

// Spoken only after a pause: a screen reader cannot follow faster.
let speech = null;
function say(text) {
  clearTimeout(speech);
  speech = setTimeout(() => { $("spoken").textContent = text; }, 400);
}

function saving() {
  $("saving").textContent = queue.length > 3 ? `storing ${queue.length} …` : notice;
  room.dataset.unsaved = String(queue.length);
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

function finish() {
  if (current || stopped || answered < total) return;
  if (queue.length) return; // not before all answers are stored
  room.hidden = true;
  $("end").hidden = false;
  $("end-back").hidden = total === 0;
  progress();
  $("end").focus();
}

function halt(text) {
  stopped = true;
  ready(false);
  trouble(text);
}

function closed(text) {
  halt("");
  current = null;
  room.hidden = true;
  $("end-heading").textContent = "This rating is closed";
  $("end-text").textContent = text || "No more answers are taken. What you gave is stored. Thank you.";
  $("end-back").hidden = true;
  $("end").hidden = false;
  progress();
  $("end").focus();
}

// --- Keys ------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if ($("help").open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat) { // a key that is held gives one answer
    if (KEYS[event.key.toLowerCase()] || ["Backspace", "Enter", " "].includes(event.key)) {
      event.preventDefault();
    }
    return;
  }
  const word = KEYS[event.key.toLowerCase()];
  if (word) {
    event.preventDefault();
    answer(word);
  } else if (event.key === "Backspace") {
    event.preventDefault();
    back();
  } else if (event.key === "?") {
    $("help").showModal();
  }
});

for (const button of document.querySelectorAll("[data-answer]")) {
  button.addEventListener("click", () => answer(button.dataset.answer));
}
$("back").addEventListener("click", back);
$("end-back").addEventListener("click", back);
$("menu").addEventListener("click", () => $("help").showModal());
$("elsewhere").addEventListener("click", async () => {
  try {
    $("link").textContent = (await ask("/rate/link", {})).link;
  } catch (error) {
    $("link").textContent = error.message;
  }
});

// When the page is left, the queue is sent once more; the server recognises answers by their ids.
addEventListener("pagehide", () => {
  if (!queue.length || stopped) return;
  for (let start = 0; start < queue.length; start += BATCH) {
    fetch("/rate/votes", {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ votes: queue.slice(start, start + BATCH) }),
    }).catch(() => {});
  }
});
addEventListener("beforeunload", (event) => {
  if (queue.length > 3 && !stopped) event.preventDefault();
});
// A page that comes from the browser's memory may be out of date.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

resume().catch(() => {});

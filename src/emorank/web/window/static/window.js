// The window: pictures come in, each is read by the server, and one face is looked at.
//
// The server keeps what it has read in memory under random names; the page knows only these names. A
// server that is busy or silent is asked again, with longer and longer pauses, and the page says so.
import { ask, insist } from "/static/server.js";
import * as grid from "./window_grid.js";
import { watch } from "./window_intake.js";
import * as look from "./window_look.js";

const $ = (id) => document.getElementById(id);
const most = Number($("window").dataset.most);
const AT_ONCE = 3; // pictures on their way
const waiting = []; // {file, place}: files that were not sent yet
let places = 0;
let pictures = []; // {id, name, width, height, faces: [{id, number, box, named, level, score}]}
let example = true; // nobody has given a picture yet
let reading = false;

const say = (text) => { $("status").textContent = text; };
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

// What the server answers in the end; it is asked again where that may help.
const patiently = (what) => insist(what, (error) => {
  if (error.status && ![408, 425, 429, 502, 503, 504].includes(error.status)) throw error;
  say(error.status === 429 || error.status === 503
    ? "The server is busy; the page tries again …" : `${error.message} The page tries again …`);
});

// --- Pictures --------------------------------------------------------------------------------

function give(files) {
  waiting.push(...files.map((file) => ({ file, place: (places += 1) })));
  if (!reading) readAll();
}

// A few at once, so that one is decoded while another is read; what comes meanwhile is read too.
async function readAll() {
  reading = true;
  const so = { read: 0, failed: 0, words: "" };
  await Promise.all(Array.from({ length: AT_ONCE }, () => readOn(so)));
  reading = false;
  const failed = so.failed ? `, ${so.failed} not` : "";
  say(so.read + so.failed === 1 ? so.words : `${count(so.read, "picture")} read${failed}.`);
}

async function readOn(so) {
  while (waiting.length) {
    const { file, place } = waiting.shift();
    say(`Reading ${file.name}${waiting.length ? `; ${count(waiting.length, "more picture")} to go` : ""} …`);
    try {
      const picture = await read(file, place);
      so.read += 1;
      if (so.read > 1) continue;
      const words = picture.faces.length > 1 ? `${count(picture.faces.length, "face")}. ` : "";
      so.words = words + await show(picture, picture.faces[0]);
    } catch (error) {
      so.failed += 1;
      trouble(file.name, error.message);
      so.words ||= `${file.name}: ${error.message}`;
    }
  }
}

async function read(file, place) {
  if (file.size > most) {
    throw new Error(`has ${(file.size / 1e6).toFixed(1)} MB; expected at most ${most / 1e6} MB`);
  }
  const data = await file.arrayBuffer().catch(() => {
    throw new Error("the browser cannot read it; is it a folder, or was it moved?");
  });
  const address = `/window/pictures?name=${encodeURIComponent(file.name.slice(-200))}`;
  const picture = await patiently((limit) => ask(address, new Blob([data]), limit));
  if (example) pictures = [];
  example = false;
  pictures.push(Object.assign(picture, { place }));
  pictures.sort((a, b) => a.place - b.place); // as they were given
  grid.list(pictures);
  return picture;
}

function trouble(name, reason) {
  const line = document.createElement("li");
  const strong = document.createElement("strong");
  strong.textContent = name;
  line.append(strong, `: ${reason}`);
  $("trouble-list").append(line);
  $("troubles").hidden = false;
}

$("clear-troubles").addEventListener("click", () => {
  $("trouble-list").replaceChildren();
  $("troubles").hidden = true;
  $("choose").focus();
});

$("forget").addEventListener("click", async () => {
  const names = pictures.map((picture) => picture.id);
  await patiently((limit) => ask("/window/forget", { pictures: names }, limit)).catch((error) => say(error.message));
  pictures = [];
  grid.list(pictures);
  await begin("All pictures are forgotten.");
  $("choose").focus();
});

// --- The face that is looked at ----------------------------------------------------------------

// Look at a face; what is said of it in one sentence.
async function show(picture, face) {
  grid.mark(face);
  try {
    return await look.show(picture, face, patiently);
  } catch (error) {
    return error.message;
  }
}

async function choose(picture, face) {
  const words = await show(picture, face);
  if (words && !reading) say(words);
}

function table(kind, faces) {
  return patiently((limit) => ask(`/window/rows.${kind}`, { faces: faces.map((face) => face.id) }, limit));
}

async function begin(words = "") {
  example = true;
  try {
    const picture = await patiently((limit) => ask("/window/example", undefined, limit));
    if (!example) return; // somebody was faster
    pictures = [picture];
    await show(picture, picture.faces[0]);
    if (example) say(words);
  } catch (error) {
    say(error.message);
  }
}

watch(give);
$("boxes").addEventListener("look", (event) => choose(event.detail.picture, event.detail.face));
look.listen(patiently, say);
grid.listen(choose, table, say);
begin();

// The camera: frames go out as they come, and what was seen in them is drawn over the video.
//
// 1. Only the newest frame counts: at most AHEAD frames are on their way (camera_link.js), and the next
//    one that is sent is what the camera shows then.
// 2. Nothing is stored: a table of what was seen is kept while it is recorded, pictures only if asked.
// 3. A page that is hidden or paused sends nothing. A lost connection is opened again.
import * as link from "./camera_link.js";
import { drawBoxes, drawHeat, fit, forgetHeat, keepHeat } from "./camera_draw.js";
import * as recording from "./camera_record.js";
import { addPoint, clearStrips, drawStrips } from "./camera_strips.js";

const WIDEST = 640; // pixels of a frame that is sent
const QUALITY = 0.8; // of its JPEG
const PACE = 2000; // ms over which frames a second are counted
const CALLED = 3000; // ms between two sentences for screen readers
const STRIPS = 200; // ms between two drawings of the strips

const $ = (id) => document.getElementById(`camera-${id}`);
const camera = document.getElementById("camera");
const video = $("video");
const sheet = document.createElement("canvas");
const paper = sheet.getContext("2d", { alpha: false, willReadFrequently: true });

let stream = null;
let paused = false;
let loop = 0; // counts the loops, so that an old one ends
let encoding = false;
let number = 0; // of the last frame that was sent
const taken = new Map(); // when each frame on its way was taken, ms
let shown = null; // the newest answer
let own = null; // the own neutral face: the contrast of each emotion
let labelled = []; // when answers were drawn, and how old their frames were
let heated = [];
let strips = 0; // when they were drawn
let called = { text: "", at: 0 };

const mirrored = () => $("mirror").checked;
const active = () => stream !== null && !paused && !document.hidden;

// --- On and off ------------------------------------------------------------------------------------

async function start() {
  $("start").disabled = true;
  trouble("");
  try {
    stream = await open();
  } catch (error) {
    trouble(refusal(error));
    $("start").disabled = false;
    return;
  }
  // Unplugged, or taken away by the browser.
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    stop();
    trouble("The camera was unplugged or taken away. Switch it on again.");
  });
  video.srcObject = stream;
  await video.play().catch(() => {});
  $("mirror").checked = stream.getVideoTracks()[0].getSettings().facingMode !== "environment";
  look();
  $("start").hidden = true;
  $("live").hidden = false;
  clearStrips();
  pause(false);
  $("pause").focus();
}

async function open() {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "InsecureError");
  const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
  return navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
}

function refusal(error) {
  return {
    NotAllowedError: "The browser or the system does not let this page use the camera. Allow it in the address bar, then switch the camera on again.",
    NotFoundError: "No camera was found. Connect one, then switch it on again.",
    NotReadableError: "The camera does not answer; another program may be using it. Close that, then switch the camera on again.",
    InsecureError: "Browsers give the camera only to pages from this machine or with https. Open this page at http://127.0.0.1, or serve it with TLS.",
  }[error.name] ?? `The camera cannot be used (${error.message || error.name}).`;
}

function stop() {
  loop += 1;
  if (recording.runs()) record();
  link.close();
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
  shown = null;
  taken.clear();
  forgetHeat();
  $("live").hidden = true;
  $("start").hidden = false;
  $("start").disabled = false;
  $("start").focus();
  state("off");
}

function pause(yes) {
  paused = yes;
  $("pause").textContent = paused ? "Go on" : "Pause";
  $("pause").setAttribute("aria-pressed", String(paused));
  if (paused) video.pause(); else video.play().catch(() => {});
  resume();
}

// Go on where the page is seen and not paused; otherwise send nothing.
function resume() {
  if (stream === null) return;
  loop += 1;
  if (!active()) {
    state("paused");
    return;
  }
  link.open();
  state(link.isOpen() ? "on" : "connecting");
  next(loop);
}

function state(word) {
  camera.dataset.state = word;
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// --- Frames out ------------------------------------------------------------------------------------

function next(mine) {
  const then = () => { if (mine === loop && active()) { send(); next(mine); } };
  // Called for each new picture of the camera, where the browser knows it.
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(then);
  else requestAnimationFrame(then);
}

function send() {
  if (encoding || !link.ready() || !video.videoWidth) return;
  const width = Math.min(WIDEST, video.videoWidth);
  const height = Math.round((video.videoHeight * width) / video.videoWidth);
  if (sheet.width !== width || sheet.height !== height) [sheet.width, sheet.height] = [width, height];
  const at = performance.now();
  paper.drawImage(video, 0, 0, width, height);
  encoding = true;
  sheet.toBlob((blob) => {
    encoding = false;
    if (!blob || !link.isOpen()) return;
    number += 1;
    taken.set(number, at);
    link.send(number, blob);
  }, "image/jpeg", QUALITY);
}

// --- What was seen -----------------------------------------------------------------------------------

function answered(answer) {
  const at = taken.get(answer.frame);
  for (const one of taken.keys()) if (one <= answer.frame) taken.delete(one);
  if (answer.busy || stream === null) return;
  if (answer.error) {
    trouble(`A picture could not be read (${answer.error}). The next one follows.`);
    return;
  }
  trouble("");
  state(active() ? "on" : "paused");
  if (answer.took !== undefined) tellNeutral(answer);
  own = answer.neutral;
  $("forget").hidden = own === null;
  shown = answer;
  requestAnimationFrame(() => { if (shown === answer) draw(at); });
}

function draw(at) {
  const [width, height] = shown.size;
  for (const canvas of [$("heat"), $("boxes")]) fit(canvas, $("stage"), width / height);
  drawBoxes($("boxes"), shown, mirrored());
  drawHeat($("heat"), shown, mirrored());
  const now = performance.now();
  labelled = recent(labelled, now);
  labelled.push({ now, age: now - at });
  if (shown.faces.length) addPoint(now, shown.faces[0].strengths);
  if (now - strips > STRIPS) {
    strips = now;
    drawStrips($("strips"), now);
    pace(now);
  }
  if (recording.runs()) recording.add(shown, compose);
  call(now);
  camera.dispatchEvent(new CustomEvent("camera:drawn", { bubbles: true, detail: { frame: shown.frame, age: now - at, faces: shown.faces.length } }));
}

async function warmed(heatmap) {
  if (stream === null || !$("heatmap").checked) return;
  await keepHeat(heatmap);
  heated = recent(heated, performance.now());
  heated.push({ now: performance.now() });
  if (shown) drawHeat($("heat"), shown, mirrored());
  camera.dispatchEvent(new CustomEvent("camera:heatmap", { bubbles: true, detail: { frame: heatmap.frame } }));
}

const recent = (times, now) => times.filter((one) => now - one.now < PACE);

function pace(now) {
  const ages = recent(labelled, now).map((one) => one.age).sort((a, b) => a - b);
  const heat = (recent(heated, now).length * 1000) / PACE;
  $("pace").textContent = `${((ages.length * 1000) / PACE).toFixed(0)} frames a second` +
    ($("heatmap").checked ? `, ${heat.toFixed(0)} heatmaps a second` : "") +
    `, ${ages[ages.length >> 1]?.toFixed(0) ?? "–"} ms from the camera to the drawing.`;
}

// For screen readers: a sentence when another expression is shown, and not too often.
function call(now) {
  const face = shown.faces[0]?.row;
  const text = !face ? "No face" : face.predicted === "neutral" ? "neutral" : [face.expressed, face.rank].filter(Boolean).join(", ");
  if (text === called.text || now - called.at < CALLED) return;
  called = { text, at: now };
  $("said").textContent = text;
}

// --- Own neutral face --------------------------------------------------------------------------------

function tellNeutral(answer) {
  if (!answer.took) trouble("No neutral face was taken: no face is seen, or the network knows no neutral face.");
  else $("said").textContent = answer.neutral ? "Your neutral face was taken." : "Your neutral face was forgotten.";
}

function neutral() {
  if (camera.dataset.state === "on") link.tell({ neutral: "take" });
}

// --- Pictures and tables ------------------------------------------------------------------------------

// The video with all that lies over it, as it is seen.
function compose(canvas) {
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const pen = canvas.getContext("2d", { alpha: false });
  if (mirrored()) pen.setTransform(-1, 0, 0, 1, canvas.width, 0);
  pen.drawImage(video, 0, 0);
  pen.resetTransform();
  pen.globalAlpha = $("heatmap").checked ? $("opacity").value / 100 : 0;
  pen.drawImage($("heat"), 0, 0, canvas.width, canvas.height);
  pen.globalAlpha = 1;
  pen.drawImage($("boxes"), 0, 0, canvas.width, canvas.height);
  return canvas;
}

function snapshot() {
  compose(document.createElement("canvas"))
    .toBlob((blob) => recording.save(blob, recording.named("png")), "image/png");
}

function record() {
  const runs = recording.runs();
  if (runs) recording.end(); else recording.begin($("film").checked ? compose : null);
  $("record").textContent = runs ? "Record" : "End recording";
  $("record").setAttribute("aria-pressed", String(!runs));
  $("film").disabled = !runs;
  $("recorded").hidden = !runs;
  $("recorded-what").textContent = recording.words();
  $("webm").hidden = !recording.hasFilm();
}

// --- Buttons and keys ---------------------------------------------------------------------------------

$("start").addEventListener("click", start);
$("stop").addEventListener("click", stop);
$("pause").addEventListener("click", () => pause(!paused));
$("neutral").addEventListener("click", neutral);
$("forget").addEventListener("click", () => link.tell({ neutral: null }));
$("snapshot").addEventListener("click", snapshot);
$("record").addEventListener("click", record);
$("csv").addEventListener("click", () => recording.save(recording.csv(), recording.named("csv")));
$("json").addEventListener("click", () => recording.save(recording.json(), recording.named("json")));
$("webm").addEventListener("click", async () => recording.save(await recording.film(), recording.named("webm")));
$("opacity").addEventListener("input", seeThrough);
$("heatmap").addEventListener("change", () => {
  link.tell({ heatmap: $("heatmap").checked });
  $("opacity").disabled = !$("heatmap").checked;
  if (!$("heatmap").checked) forgetHeat($("heat"));
});
$("mirror").addEventListener("change", look);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]");
  if (event.key.toLowerCase() !== "n" || event.repeat || typing) return;
  if (stream === null || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  neutral();
});
document.addEventListener("visibilitychange", resume);
addEventListener("pagehide", () => { if (stream) stop(); });

function seeThrough() {
  $("heat").style.opacity = $("opacity").value / 100;
}

function look() {
  video.classList.toggle("mirrored", mirrored());
}

link.begin({
  answered,
  warmed,
  opened() {
    taken.clear();
    const said = { heatmap: $("heatmap").checked };
    link.tell(own ? { ...said, neutral: own } : said);
    trouble("");
    state(active() ? "on" : "paused");
  },
  lost(words) {
    taken.clear();
    if (stream === null || !active()) return;
    state("lost");
    trouble(words);
  },
  wanted: active,
});
seeThrough();
look();

// A recording: a row for each face of each frame, and a film if it was asked for. It is kept by the page
// until the next one begins, and saved where the person wants.
const MOST = 200000; // rows
const FILM = 500 * 2 ** 20; // bytes
const KINDS = ["video/webm;codecs=vp9", "video/webm", "video/mp4"];

let rows = [];
let begun = null; // when, ms
let running = false;
let recorder = null;
let chunks = [];
let ended = Promise.resolve();
const screen = document.createElement("canvas");

export const runs = () => running;
export const hasFilm = () => recorder !== null;

export function begin(compose) {
  rows = [];
  chunks = [];
  recorder = null;
  begun = performance.now();
  running = true;
  if (compose === null) return;
  compose(screen);
  const kind = KINDS.find((one) => MediaRecorder.isTypeSupported(one));
  recorder = new MediaRecorder(screen.captureStream(), { mimeType: kind });
  let bytes = 0;
  recorder.ondataavailable = ({ data }) => {
    chunks.push(data);
    bytes += data.size;
    if (bytes > FILM && recorder.state !== "inactive") recorder.stop();
  };
  ended = new Promise((done) => { recorder.onstop = done; });
  recorder.start(1000);
}

export function add(answer, compose) {
  if (recorder) compose(screen);
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(3));
  const time = new Date().toISOString();
  for (const { row } of answer.faces) {
    if (rows.length < MOST) rows.push({ time, seconds, frame: answer.frame, ...row });
  }
}

export function end() {
  running = false;
  if (recorder?.state === "recording") recorder.stop();
}

export function words() {
  const seconds = rows.length ? rows[rows.length - 1].seconds : 0;
  const full = rows.length >= MOST ? "; the table is full, later frames are not in it" : "";
  return `Recorded: ${rows.length} rows in ${seconds.toFixed(0)} seconds${full}.`;
}

// RFC 4180; a column for each name that any row has.
export function csv() {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return new Blob([lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("")], { type: "text/csv" });
}

export const json = () => new Blob([JSON.stringify(rows)], { type: "application/json" });

export async function film() {
  await ended;
  return new Blob(chunks, { type: recorder.mimeType });
}

// emorank-2026-11-29-19-35-01.csv
export function named(ending) {
  const now = new Date();
  const local = new Date(now - now.getTimezoneOffset() * 60000);
  return `emorank-${local.toISOString().slice(0, 19).replace(/[T:]/g, "-")}.${ending}`;
}

export function save(blob, name) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
}

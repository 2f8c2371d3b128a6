// The line to the server. It carries at most AHEAD frames at a time, is opened again when it is lost, and
// is left closed while nobody looks.
const AHEAD = 3; // one is read, the newest waits, the next is on its way
const FRESH = 4; // frames sent for each that is answered, at most
const STUCK = 10000; // ms without an answer after which frames on their way count as lost
const SOONEST = 500; // ms until a lost line is opened again; each time twice as long,
const LATEST = 8000; // up to this
const AWAY = 4000; // the server closed it because nothing came
const FULL = 1013; // other cameras take all places

let heard = null; // what the page does with what comes
let socket = null;
let waiting = []; // numbers of frames on their way
let since = 0; // when the first of them was sent
let sent = 0; // when the last one was sent
let last = 0; // when the last answer came
let pace = 0; // ms between answers
let wait = SOONEST;
let timer = null;

export function begin(listeners) {
  heard = listeners;
}

export const isOpen = () => socket?.readyState === WebSocket.OPEN;

export function ready() {
  if (waiting.length && performance.now() - since > STUCK) waiting = [];
  // To a slow network a few fresh frames are enough.
  return isOpen() && waiting.length < AHEAD && performance.now() - sent > pace / FRESH;
}

export function open() {
  clearTimeout(timer);
  if (socket !== null) return;
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
  mine.binaryType = "arraybuffer";
  mine.onopen = () => {
    waiting = [];
    [last, pace] = [performance.now(), 0];
    heard.opened();
  };
  mine.onmessage = ({ data }) => {
    wait = SOONEST;
    if (typeof data !== "string") {
      heard.warmed(heatmap(data));
      return;
    }
    const answer = JSON.parse(data);
    const now = performance.now();
    since = now;
    if (answer.dropped) {
      waiting = waiting.filter((one) => one !== answer.frame);
      return;
    }
    waiting = waiting.filter((one) => one > answer.frame);
    pace = 0.8 * pace + 0.2 * Math.min(now - last, STUCK);
    last = now;
    heard.answered(answer);
  };
  mine.onclose = ({ code, reason }) => {
    if (socket !== mine) return;
    socket = null;
    waiting = [];
    if (code === AWAY && !heard.wanted()) return;
    heard.lost(code === FULL ? `${reason[0].toUpperCase()}${reason.slice(1)}.`
      : "The connection to the server is lost. It is tried again.");
    timer = setTimeout(() => { if (heard.wanted()) open(); }, wait);
    wait = Math.min(2 * wait, LATEST);
  };
  socket = mine;
}

export function close() {
  clearTimeout(timer);
  const mine = socket;
  socket = null;
  waiting = [];
  mine?.close();
}

export async function send(number, blob) {
  if (!waiting.length) since = performance.now();
  sent = performance.now();
  waiting.push(number);
  const head = new DataView(new ArrayBuffer(4));
  head.setUint32(0, number);
  socket.send(new Blob([head, blob]));
}

export function tell(what) {
  if (isOpen()) socket.send(JSON.stringify(what));
}

// The number of the frame, six numbers that say where in it the map lies, and a PNG.
function heatmap(data) {
  const head = new DataView(data, 0, 28);
  const place = Array.from({ length: 6 }, (_, k) => head.getFloat32(4 + 4 * k));
  return { frame: head.getUint32(0), place, picture: new Blob([data.slice(28)], { type: "image/png" }) };
}

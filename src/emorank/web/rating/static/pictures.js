// The rater's pictures, loaded ahead so that the next one is there at once.
import { insist, within } from "/static/server.js";
import { word } from "./language.js";

const AHEAD = 8; // pictures to have ready
const pictures = new Map(); // showing id → promise of an <img> that is decoded
let turn = 0;

// The picture of a showing; `failed` as in `insist`.
export function picture(showing, failed) {
  if (!pictures.has(showing.id)) {
    const promise = insist((limit) => load(showing, limit), failed);
    promise.catch(() => pictures.delete(showing.id));
    pictures.set(showing.id, promise);
  }
  return pictures.get(showing.id);
}

const pairs = document.getElementById("room").dataset.scale === "pairs";

function load(showing, limit) {
  const address = `/rate/picture/${showing.id}`;
  const number = showing.position + 1;
  if (!pairs) return one(address, word("face", { number }), limit);
  const both = ["left", "right"].map((side) =>
    one(`${address}?side=${side}`, word(side === "left" ? "leftFace" : "rightFace", { number }), limit));
  return Promise.all(both).then((images) => {
    const pair = document.createElement("div");
    pair.className = "pair";
    for (const image of images) {
      const half = document.createElement("span");
      half.append(image);
      pair.append(half);
    }
    return pair;
  });
}

function one(address, alt, limit) {
  const image = new Image();
  image.alt = alt;
  image.draggable = false;
  image.src = address;
  return within(limit, image.decode().then(() => image), () => { image.src = ""; });
}

// Load what comes after a position, one after the other: a browser has few connections to a server,
// and pictures that hang must leave one to the answers.
export async function prepare(position, showingAt, failed) {
  turn += 1;
  const mine = turn;
  for (const [id] of pictures) { // the last few stay, to go back to at once
    if (pictures.size <= 4 * AHEAD) break;
    pictures.delete(id);
  }
  for (let next = position + 1; next <= position + AHEAD && mine === turn; next += 1) {
    const showing = await showingAt(next);
    if (showing) await picture(showing, failed);
  }
}

// When the frame that has been drawn last is on the screen: its time.
export const painted = () => new Promise((done) => {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  });
});

// Answers on their way to the server. The browser's storage keeps each until the server has confirmed
// it, so an answer outlives its tab: the next page of the same rater sends it. It may be sent twice,
// for the server stores each id once.
import { ask } from "/static/server.js";

const BATCH = 50; // answers in one request
const PREFIX = `emorank/${document.getElementById("room").dataset.keep}/`;

let entries = stored(); // {key, vote}, the oldest first
let last = 0;
export let keeps = true; // whether the browser lets the page keep something

function stored() {
  const found = [];
  try {
    for (const key of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX)).sort()) {
      const vote = read(localStorage.getItem(key));
      if (vote) found.push({ key, vote });
      else localStorage.removeItem(key); // no page can send it
    }
  } catch {
    // the browser keeps nothing; `add` finds out
  }
  return found;
}

// An answer as `add` wrote it; null if the browser's storage holds something else.
function read(text) {
  try {
    const vote = JSON.parse(text);
    const whole = ["id", "showing", "answer"].every((name) => typeof vote[name] === "string");
    return whole ? vote : null;
  } catch {
    return null;
  }
}

export const size = () => entries.length;
export const votes = () => entries.map((entry) => entry.vote);

export function newId() {
  // crypto.randomUUID exists only with TLS or on this machine; getRandomValues exists everywhere.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)),
    (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function add(vote) {
  last = Math.max(last + 1, Date.now()); // keys sort by time, also among the tabs of a rater
  const key = `${PREFIX}${String(last).padStart(16, "0")}.${vote.id}`;
  entries.push({ key, vote });
  try {
    localStorage.setItem(key, JSON.stringify(vote));
  } catch {
    keeps = false;
  }
}

// Send everything; what happened to it ("stored", "stale", "fast"). `patiently` repeats a request until
// it is answered, `changed` is called whenever fewer answers wait.
export async function send(patiently, changed) {
  const fates = new Set();
  for (let most = BATCH; entries.length;) {
    const batch = entries.slice(0, most);
    const body = { votes: batch.map((entry) => entry.vote) };
    try {
      const receipt = await patiently((limit) => ask("/rate/votes", body, limit));
      remove(batch);
      changed();
      receipt.outcomes.forEach((fate) => fates.add(fate));
    } catch (error) {
      // One answer that can never be stored must not keep back the others. What is refused for
      // another reason (the rating is closed, the session has ended) may be stored later.
      const never = [404, 409, 422].includes(error.status) && !error.closed;
      if (!never || batch.length === 1) {
        if (never) remove(batch);
        throw error;
      }
      most = 1;
    }
  }
  return fates;
}

function remove(batch) {
  entries = entries.filter((entry) => !batch.includes(entry));
  try {
    for (const { key } of batch) localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
}

// When the page is left, everything is sent once more; the server recognises answers by their ids.
export function sendAtTheEnd() {
  for (let start = 0; start < entries.length; start += BATCH) {
    fetch("/rate/votes", {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ votes: votes().slice(start, start + BATCH) }),
    }).catch(() => {});
  }
}

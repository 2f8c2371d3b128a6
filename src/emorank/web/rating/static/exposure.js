// A face that is seen for a fixed time: a cross, the face, a mask, then the answer.
//
// What is drawn in a frame is on the screen from that frame on, so the time of the face is that from the
// frame that shows it to the frame that takes it away, by the frames' own timestamps, or later where the
// page was too busy to draw them in time. The frame that comes nearest to the planned time is taken: on a
// screen of 60 Hz, 100 ms are 6 frames.

const $ = (id) => document.getElementById(id);
const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
const BLOCKS = 64; // of the mask, each way
const BUSY = 20; // ms after its beginning until which a frame of a screen of 60 Hz is drawn in time
const PREFIX = `emorank-shown/${$("room").dataset.keep}/`;
const times = new Map(); // showing id → how often it began to be shown

// How often a face began to be shown before this time. The browser keeps the count, so that a page that
// is loaded again knows it; writing it takes time, so it is done before the face is there.
function countBefore(id) {
  try {
    return Math.max(times.get(id) ?? 0, Number(localStorage.getItem(PREFIX + id)) || 0);
  } catch {
    return times.get(id) ?? 0; // it keeps nothing: then only this page counts
  }
}

function keep(id, count) {
  try {
    localStorage.setItem(PREFIX + id, String(count));
  } catch {
    // see above
  }
}

// When all is answered.
export function forget() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX)) localStorage.removeItem(key);
    }
  } catch {
    // nothing was kept
  }
}

// Show a face, which is decoded and in the page; {onset, shown, times} when it and the mask are gone:
// two times in ms, and how often it began to be shown, in this page and before. If the page is hidden
// or covered meanwhile, all of it begins anew, because nobody saw it whole. Null if `wanted` no longer
// holds.
export async function expose(plan, id, covered, wanted) {
  const face = $("face");
  while (wanted()) {
    hide(face);
    while (covered() && wanted()) await new Promise((done) => setTimeout(done, 100));
    const seen = await once(plan, id, face, () => wanted() && !covered());
    if (seen) return { ...seen, times: times.get(id) };
  }
  return null;
}

async function once(plan, id, face, goesOn) {
  const count = countBefore(id);
  keep(id, count + 1);
  let now = await nextFrame();
  if (plan.fixation_ms) {
    $("cross").hidden = false;
    now = await after(now, plan.fixation_ms, goesOn);
    if (now === null) {
      keep(id, count); // nobody saw the face
      return null;
    }
  }
  $("cross").hidden = true;
  face.style.visibility = "visible";
  times.set(id, count + 1);
  const onset = await onScreen(now);
  now = await after(onset, plan.face_ms, goesOn);
  if (now === null) return null;
  face.style.visibility = "hidden";
  if (plan.mask_ms && plan.mask === "noise") drawNoise();
  const shown = await onScreen(now) - onset;
  if (plan.mask_ms) {
    now = await after(now, plan.mask_ms, goesOn);
    if (now === null) return null;
  }
  hide(face);
  return { onset, shown };
}

// When a frame that begins at `now`, this one, is on the screen: then; or when it was drawn at last, if the
// page was too busy to draw it in time.
async function onScreen(now) {
  const drawn = await new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  });
  return drawn - now > BUSY ? drawn : now;
}

// The time of the frame that is nearest to so many ms after `start`; null if it does not go on.
async function after(start, milliseconds, goesOn) {
  for (let before = start; ;) {
    const now = await nextFrame();
    if (!goesOn()) return null;
    const frame = Math.min(now - before, 50);
    before = now;
    if (now - start >= milliseconds - frame / 2) return now;
  }
}

function hide(face) {
  face.style.visibility = "hidden";
  $("cross").hidden = true;
  $("mask").hidden = true;
}

function drawNoise() {
  const canvas = $("mask");
  const context = canvas.getContext("2d");
  const image = context.createImageData(BLOCKS, BLOCKS);
  const greys = crypto.getRandomValues(new Uint8Array(BLOCKS * BLOCKS));
  greys.forEach((grey, at) => image.data.set([grey, grey, grey, 255], 4 * at));
  context.putImageData(image, 0, 0);
  canvas.hidden = false;
}

// A face that is seen for a fixed time: a cross, the face, a mask, then the answer.
//
// What is drawn in a frame is on the screen from that frame on, so the time of the face is that from the
// frame that shows it to the frame that takes it away, by the frames' own timestamps. The frame that
// comes nearest to the planned time is taken: on a screen of 60 Hz, 100 ms are 6 frames.

const $ = (id) => document.getElementById(id);
const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
const BLOCKS = 64; // of the mask, each way
const PREFIX = `emorank-shown/${$("room").dataset.keep}/`;
const times = new Map(); // showing id → how often it began to be shown

// The browser keeps the count, so that a page that is loaded again knows it.
function count(id) {
  let before = times.get(id) ?? 0;
  try {
    before = Math.max(before, Number(localStorage.getItem(PREFIX + id)) || 0);
    localStorage.setItem(PREFIX + id, String(before + 1));
  } catch {
    // it keeps nothing: then only this page counts
  }
  times.set(id, before + 1);
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
  let now = await nextFrame();
  if (plan.fixation_ms) {
    $("cross").hidden = false;
    now = await after(now, plan.fixation_ms, goesOn);
    if (now === null) return null;
  }
  $("cross").hidden = true;
  face.style.visibility = "visible";
  const onset = now;
  count(id);
  now = await after(onset, plan.face_ms, goesOn);
  if (now === null) return null;
  face.style.visibility = "hidden";
  const shown = now - onset;
  if (plan.mask_ms) {
    if (plan.mask === "noise") drawNoise();
    now = await after(now, plan.mask_ms, goesOn);
    if (now === null) return null;
  }
  hide(face);
  return { onset, shown };
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

// Tells the server on what this browser shows the faces: first, and whenever that changes.

const MOMENT = 800; // ms without a change, so that a window that is being resized tells once
const frame = document.getElementById("frame");
const is = (query) => matchMedia(query).matches;
let told = "";
let timer = null;

function display() {
  const face = getComputedStyle(frame).getPropertyValue("--face").trim(); // 360px, or 40rem
  const unit = face.endsWith("rem") ? getComputedStyle(document.documentElement).fontSize : "1px";
  const largest = parseFloat(face) * parseFloat(unit);
  return {
    theme: is("(prefers-color-scheme: dark)") ? "dark" : "light",
    width: innerWidth,
    height: innerHeight,
    pixel_ratio: devicePixelRatio,
    face_px: Math.round(Math.min(largest, room().width, room().height)),
    pointer: is("(pointer: fine)") ? "mouse" : is("(pointer: coarse)") ? "touch" : "none",
  };
}

// What a face has: half of the frame beside another one.
function room() {
  const half = document.querySelector("#frame .pair > span");
  return { width: (half ?? frame).clientWidth, height: (half ?? frame).clientHeight };
}

async function tell() {
  if (!frame.clientWidth) return; // the last picture is over
  const body = JSON.stringify(display());
  if (body === told) return;
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/rate/display", { method: "POST", headers, body }).catch(() => null);
  if (answer?.ok) told = body;
  else if (!answer || answer.status >= 500) later(20 * MOMENT);
}

function later(pause = MOMENT) {
  clearTimeout(timer);
  timer = setTimeout(tell, pause);
}

new ResizeObserver(() => later()).observe(frame);
addEventListener("resize", () => later());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => later());
tell();

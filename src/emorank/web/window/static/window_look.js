// The face that is looked at: its picture with boxes, its heatmap, and what the network says.
import { ask } from "/static/server.js";
import { download, stem } from "./window_files.js";

const $ = (id) => document.getElementById(id);
let picture = null;
let face = null;
let sentence = "";
let latest = 0; // questions so far: an answer to an earlier one comes too late
let patiently = null;

const percent = (share) => `${100 * share}%`;

// What is asked, without what is as usual.
function wish() {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData($("wish"))) if (value && value !== "all") asked.set(name, value);
  return asked;
}

const address = (what = "") => `/window/faces/${face.id}${what}?${wish()}`;

export async function show(ofPicture, itsFace, insistently) {
  patiently = insistently;
  if (picture?.id !== ofPicture.id) showPicture(ofPicture);
  face = itsFace;
  for (const button of $("boxes").children) {
    if (button.dataset.face === face.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  $("pixels").src = `/window/faces/${face.id}/pixels.jpg`;
  $("pixels").alt = `Face ${face.number} of ${picture.name}`;
  $("heatmap").hidden = true; // not that of another face
  return update();
}

function showPicture(next) {
  picture = next;
  $("name").textContent = next.name;
  $("whole").src = `/window/pictures/${next.id}.jpg`;
  $("whole").alt = `The picture ${next.name}`;
  $("whole").hidden = false;
  const faces = next.faces.length;
  $("about").textContent = `${next.width} × ${next.height} pixels; ${faces === 1 ? "one face" : `${faces} faces`}`
    + (next.faces[0].box ? "" : ", the whole picture: this network was trained on whole pictures")
    + (next.note ? `. ${next.note}` : "");
  $("boxes").replaceChildren(...next.faces.map(box));
}

// A picture that is higher than the screen is shown with a margin at each side, and the boxes with it.
function fit() {
  if (!picture || !$("whole").clientHeight) return;
  const { clientWidth: width, clientHeight: height } = $("whole");
  const shown = Math.min(width, (height * picture.width) / picture.height);
  const high = (shown * picture.height) / picture.width;
  Object.assign($("boxes").style, {
    left: `${(width - shown) / 2}px`, right: `${(width - shown) / 2}px`,
    top: `${(height - high) / 2}px`, bottom: `${(height - high) / 2}px`,
  });
}

function box(one) {
  const [left, top, right, bottom] = (one.box || [0, 0, 1, 1]).map((share) => Math.min(1, Math.max(0, share)));
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.face = one.id;
  Object.assign(button.style, {
    left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top),
  });
  button.classList.toggle("low", top < 0.06);
  const label = document.createElement("span");
  label.textContent = `${one.number}: ${one.named === "neutral" ? "neutral" : `${one.named}, ${one.level}`}`;
  button.append(label);
  const of = picture;
  button.addEventListener("click", () => button.dispatchEvent(
    new CustomEvent("look", { bubbles: true, detail: { picture: of, face: one } })));
  return button;
}

// Ask the question of the form about the face; what is said of it in one sentence.
async function update() {
  const mine = ++latest;
  $("reading").setAttribute("aria-busy", "true");
  try {
    const answer = await patiently((limit) => ask(address(), undefined, limit));
    if (mine !== latest) return "";
    fill(answer);
    return sentence;
  } finally {
    if (mine === latest) $("reading").setAttribute("aria-busy", "false");
  }
}

function fill(answer) {
  const parts = new DOMParser().parseFromString(answer.html, "text/html");
  for (const id of ["said", "probable", "why", "rule"]) $(id).replaceWith(document.adoptNode(parts.getElementById(id)));
  sentence = answer.sentence;
  $("heatmap").src = answer.heatmap;
  $("heatmap").alt = `Heatmap over the face: red pixels speak for ${answer.expressed}, blue ones against it`;
  $("heatmap").hidden = false;
  $("pixels").hidden = false;
  // The face may be named what the last one was held against: then the server took neutral.
  const against = $("wish").elements.against;
  against.value = answer.against === "neutral" ? "" : answer.against;
  for (const option of against.options) option.disabled = option.value === answer.expressed;
}

function opacity() {
  const share = Number($("opacity").value) / 100;
  $("heatmap").style.opacity = share;
  $("pixels").style.filter = `grayscale(${share})`;
  $("opacity").setAttribute("aria-valuetext", `${$("opacity").value} percent`);
}

async function save(what) {
  const content = await patiently((limit) => ask(address(`/${what}`), undefined, limit));
  const [kind, ending] = what.split(".");
  const number = picture.faces.length > 1 ? `_${face.number}` : "";
  download(content, `${stem(picture.name)}${number}${kind === "figure" ? "_relevance" : ""}.${ending}`);
}

// The sentence as text and the figure as a picture: each program pastes what it can.
async function copy() {
  const drawn = patiently((limit) => ask(address("/figure.png"), undefined, limit));
  await navigator.clipboard.write([new ClipboardItem({
    "text/plain": new Blob([sentence], { type: "text/plain" }),
    "image/png": drawn,
  })]);
}

export function listen(insistently, say) {
  patiently = insistently;
  const tell = (promise, words = "") => promise.then((text) => say(words || text || ""), (error) => say(error.message));
  $("wish").addEventListener("change", () => { if (face) tell(update()); });
  $("wish").addEventListener("submit", (event) => event.preventDefault());
  $("opacity").addEventListener("input", opacity);
  $("whole").addEventListener("load", fit);
  addEventListener("resize", fit);
  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", () => { if (face) tell(save(button.dataset.save)); });
  }
  $("copy").addEventListener("click", () => {
    if (!face) return;
    if (!navigator.clipboard?.write) say("Browsers copy only from this machine or over https; save the figure instead.");
    else tell(copy(), "Copied: the sentence and the figure.");
  });
  opacity();
}

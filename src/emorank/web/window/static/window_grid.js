// All faces of all pictures, to sort and to choose from.
import { download } from "./window_files.js";

const $ = (id) => document.getElementById(id);
let faces = []; // [picture, face] as they came
let current = null;
let choose = () => {};

const strength = ([, face]) => (face.score === null ? -Infinity : face.score);
const ORDERS = {
  given: () => 0,
  emotion: (a, b) => a[1].named.localeCompare(b[1].named) || strength(b) - strength(a),
  strength: (a, b) => strength(b) - strength(a),
};

function sorted() {
  return [...faces].sort(ORDERS[$("sort").value]);
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

// Made once for each face: sorting moves it, and leaves the focus.
const items = new Map();
function item(picture, face) {
  if (items.has(face.id)) return items.get(face.id);
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.face = face.id;
  const image = document.createElement("img");
  image.src = `/window/faces/${face.id}/pixels.jpg`;
  image.alt = "";
  image.loading = "lazy";
  const of = picture.faces.length > 1 ? `, face ${face.number}` : "";
  const level = element("span", "level", ` ${face.level}`);
  level.prepend(element("span", `chip l-${face.level}`));
  button.append(image, element("span", "word", face.named), level,
    element("span", "file", `${picture.name}${of}`));
  button.title = `${picture.name}${of}`;
  button.addEventListener("click", () => choose(picture, face));
  const line = document.createElement("li");
  line.append(button);
  items.set(face.id, line);
  return line;
}

export function list(pictures) {
  faces = pictures.flatMap((picture) => picture.faces.map((face) => [picture, face]));
  const known = new Set(faces.map(([, face]) => face.id));
  for (const id of items.keys()) if (!known.has(id)) items.delete(id);
  $("all").hidden = faces.length < 2;
  order();
}

function order() {
  const focused = document.activeElement;
  $("grid").replaceChildren(...sorted().map(([picture, face]) => item(picture, face)));
  if ($("grid").contains(focused)) focused.focus();
  mark(current);
}

export function mark(face) {
  current = face;
  for (const button of $("grid").querySelectorAll("button")) {
    if (button.dataset.face === face?.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

// `chosen` is called with the face that is chosen; `table` gives the rows of faces as a file.
export function listen(chosen, table, say) {
  choose = chosen;
  $("sort").addEventListener("change", order);
  $("grid").addEventListener("keydown", (event) => {
    const buttons = [...$("grid").querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || !buttons[to]) return;
    event.preventDefault();
    buttons[to].focus();
  });
  for (const button of document.querySelectorAll("[data-rows]")) {
    button.addEventListener("click", () => {
      const kind = button.dataset.rows;
      table(kind, sorted().map(([, face]) => face))
        .then((rows) => download(rows, `faces.${kind}`), (error) => say(error.message));
    });
  }
}

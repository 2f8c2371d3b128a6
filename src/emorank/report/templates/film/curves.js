// The timeline: a panel for each person, the curve of each emotion on the levels, faces above.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 120;
const LEFT = 62; // room for the names of the levels
const RIGHT = 8;
const panels = $("panels");
const timeline = $("timeline");

const wide = () => Math.max(80, panels.clientWidth - LEFT - RIGHT);
const across = (time) => LEFT + ((time - from) / span) * wide();
const [low, high] = [film.least, film.most];
const up = (value) => HEIGHT - ((Math.max(low, Math.min(value, high)) - low) / (high - low)) * HEIGHT;

function svg(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

function drawPanels() {
  panels.replaceChildren();
  const shown = film.persons.filter((one) => chosen.persons.has(one.track));
  for (const person of shown) {
    const name = document.createElement("p");
    name.className = "panel-name";
    name.append(`Person ${person.track} `);
    const when = document.createElement("span");
    when.textContent = `${clock(person.first)} to ${clock(person.last)}`;
    name.append(when);
    panels.append(name, facesAbove(person), panelOf(person));
  }
  if (!shown.length) {
    const words = document.createElement("p");
    words.className = "panel-name";
    words.textContent = film.persons.length ? "No person is chosen." : "No face was found in this film.";
    panels.append(words);
  }
  drawAxis();
  drawTime();
}

function panelOf(person) {
  const picture = svg("svg", { height: HEIGHT, "aria-hidden": "true" });
  const edges = [low, ...film.thresholds, high];
  film.levels.forEach((level, k) => {
    if (edges.length < 3) return;
    const [bottom, top] = [up(edges[k]), up(edges[k + 1])];
    picture.append(svg("rect", { x: LEFT, y: top, width: wide(), height: bottom - top, fill: level.colour, "fill-opacity": 0.2 }));
    picture.append(svg("text", { x: LEFT - 6, y: (bottom + top) / 2 + 4, "text-anchor": "end", class: "faint" }, level.word));
  });
  picture.append(svg("rect", { x: LEFT, y: 0, width: wide(), height: HEIGHT, fill: "none", stroke: "currentColor", "stroke-opacity": 0.25 }));
  const clip = svg("svg", { x: LEFT, y: 0, width: wide(), height: HEIGHT, viewBox: `${LEFT} 0 ${wide()} ${HEIGHT}` });
  picture.append(clip);
  const events = eventsOf(person);
  for (const emotion of Object.keys(person.curves)) {
    if (!chosen.emotions.has(emotion)) continue;
    const { colour } = film.emotions[emotion];
    for (const event of events.filter((one) => one.emotion === emotion)) {
      const area = pathOf(person, emotion, event.onset, event.offset, true);
      clip.append(svg("path", { d: area, fill: colour, "fill-opacity": 0.3 }));
    }
    const line = pathOf(person, emotion, from, from + span, false);
    clip.append(svg("path", { d: line, fill: "none", stroke: colour, "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-linecap": "round" }));
  }
  for (const event of events) {
    const { colour } = film.emotions[event.emotion];
    if (event.apex < from || event.apex > from + span) continue;
    clip.append(svg("circle", { cx: across(event.apex), cy: up(event.strength), r: 3.5, fill: colour, stroke: "#fff", "stroke-width": 1 }));
  }
  return picture;
}

// A curve between two times, one point for each pixel, the highest; closed at 0 to be filled.
function pathOf(person, emotion, start, end, closed) {
  const [times, values] = [person.times, person.curves[emotion]];
  const [first, last] = [Math.max(start, from), Math.min(end, from + span)];
  let parts = "";
  let pen = false;
  let [x, y] = [NaN, NaN];
  const put = () => {
    if (Number.isNaN(x)) return;
    if (closed && !pen) parts += `M${x} ${up(0)}L${x} ${y.toFixed(1)}`;
    else parts += pen ? `L${x} ${y.toFixed(1)}` : `M${x} ${y.toFixed(1)}h0`; // a single point is a dot
    pen = true;
  };
  const end_ = () => {
    put();
    if (closed && pen) parts += `L${x} ${up(0)}Z`;
    [pen, x] = [false, NaN];
  };
  const begin = Math.max(0, lastAt(person.known, first * 1000) - (closed ? 0 : 1));
  for (let k = begin; k < times.length; k += 1) {
    if (times[k] === null) {
      end_();
      continue;
    }
    if (closed && times[k] / 1000 < first - 0.002) continue;
    if (closed && times[k] / 1000 > last + 0.002) break;
    if (!closed && idle(values, k)) {
      end_();
      continue;
    }
    const column = Math.round(across(times[k] / 1000) * 2) / 2;
    const height = up(values[k] / 100);
    if (column === x) y = Math.min(y, height);
    else {
      put();
      [x, y] = [column, height];
    }
    if (times[k] / 1000 > last) break;
  }
  end_();
  return parts;
}

// A value among others that are as low as values are drawn.
function idle(values, k) {
  const floor = 100 * low;
  return values[k] <= floor && (values[k - 1] ?? floor) <= floor && (values[k + 1] ?? floor) <= floor;
}

function facesAbove(person) {
  const row = document.createElement("div");
  row.className = "faces-above";
  const taken = [];
  const some = eventsOf(person).filter((one) => one.face && one.apex >= from && one.apex <= from + span);
  for (const event of some.sort((a, b) => b.strength - a.strength)) {
    const x = Math.min(Math.max(across(event.apex), 22), panels.clientWidth - 22);
    if (taken.some((other) => Math.abs(other - x) < 47)) continue;
    taken.push(x);
    const face = new Image();
    face.src = event.face;
    face.alt = "";
    face.title = `${wordsOf(event)}, ${clock(event.apex)}`;
    face.style.left = `${x}px`;
    face.style.borderColor = film.emotions[event.emotion].colour;
    face.dataset.time = event.apex;
    row.append(face);
  }
  if (!taken.length) row.hidden = true;
  return row;
}

function drawAxis() {
  const picture = svg("svg", { height: 26, "aria-hidden": "true" });
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 18000];
  const room = panels.clientWidth < 500 ? 64 : 84;
  const step = steps.find((one) => (one / span) * wide() >= room) ?? span;
  for (let at = Math.ceil(from / step) * step; at <= from + span + 1e-6; at += step) {
    const x = across(at);
    picture.append(svg("line", { x1: x, x2: x, y1: 0, y2: 5, stroke: "currentColor" }));
    const anchor = x > LEFT + wide() - 20 ? "end" : "middle";
    picture.append(svg("text", { x, y: 18, "text-anchor": anchor }, clock(at, step < 1 ? 1 : 0)));
  }
  $("axis").replaceChildren(picture);
}

function timeAt(event) {
  const place = event.clientX - panels.getBoundingClientRect().left;
  return from + ((place - LEFT) / wide()) * span;
}

timeline.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  timeline.focus({ preventScroll: true });
  const face = event.target.closest("[data-time]");
  seek(face ? Number(face.dataset.time) : timeAt(event));
  if (!face && event.pointerType === "mouse") timeline.setPointerCapture(event.pointerId);
});
timeline.addEventListener("pointermove", (event) => {
  if (timeline.hasPointerCapture(event.pointerId)) seek(timeAt(event));
});
timeline.addEventListener("keydown", (event) => {
  const step = event.shiftKey ? 0.1 : 1;
  const moves = {
    ArrowLeft: () => seek(now - step), ArrowDown: () => seek(now - step),
    ArrowRight: () => seek(now + step), ArrowUp: () => seek(now + step),
    PageUp: () => jump(-1), PageDown: () => jump(1), Home: () => seek(0), End: () => seek(film.seconds),
  };
  if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  moves[event.key]();
});
$("span").addEventListener("change", (event) => {
  span = Number(event.target.value);
  from = Math.max(0, Math.min(now - span / 2, film.seconds - span));
  drawPanels();
});
new ResizeObserver(() => drawPanels()).observe(panels.parentElement);

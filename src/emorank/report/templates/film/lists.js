// What is said at the time of the film, the list of events, the choices, the tables.
const wordsOf = (event) => `${film.emotions[event.emotion].label}${event.level ? `, ${event.level}` : ""}`;
const eventsOf = (person) => film.events.filter((one) => one.track === person.track && chosen.emotions.has(one.emotion));
const shownEvents = () => film.events.filter((one) => chosen.persons.has(one.track) && chosen.emotions.has(one.emotion));

function levelOf(strength) {
  return film.thresholds.length ? film.levels[film.thresholds.filter((one) => strength >= one).length].word : "";
}

// What a person expresses most at a time; null where the person is not seen.
function saidOf(person, time) {
  const at = lastAt(person.known, time * 1000 + 1);
  if (at < 0 || person.times[at] === null || time * 1000 - person.times[at] > film.hold) return null;
  let most = null;
  for (const [emotion, values] of Object.entries(person.curves)) {
    if (!most || values[at] > most.value) most = { emotion, value: values[at] };
  }
  if (!most) return null;
  const strength = most.value / 100;
  const level = levelOf(strength);
  const { label, colour } = film.emotions[most.emotion];
  const calm = level && level === film.levels[0].word;
  const words = calm ? "no expression" : `${label}${level ? `, ${level}` : ""}`;
  return { emotion: most.emotion, strength, level, words, colour: calm ? CALM : colour };
}

function drawTime() {
  follow();
  const x = across(now);
  $("line").hidden = x < LEFT - 1 || x > LEFT + wide() + 1;
  $("line").style.left = `${x}px`;
  $("clock").textContent = clock(now, 1);
  const said = [];
  const rows = [];
  for (const person of film.persons) {
    if (!chosen.persons.has(person.track)) continue;
    const one = saidOf(person, now);
    if (!one) continue;
    said.push(`Person ${person.track}: ${one.words}`);
    if (rows.length < 6) rows.push(nowRow(person, one));
  }
  $("now").replaceChildren(...rows);
  timeline.setAttribute("aria-valuenow", now.toFixed(1));
  timeline.setAttribute("aria-valuetext", [clock(now, 1), ...said].join("; "));
  for (const one of listed) {
    const at = one.onset <= now + 0.002 && now <= one.offset + 0.002;
    if (at !== one.at) one.row.classList.toggle("at", at);
    one.at = at;
  }
}

function nowRow(person, said) {
  const row = document.createElement("li");
  const bar = document.createElement("span");
  const fill = document.createElement("i");
  bar.className = "bar";
  fill.style.width = `${Math.max(0, Math.min(1, said.strength / film.most)) * 100}%`;
  fill.style.background = said.colour;
  bar.append(fill);
  row.append(span_(`Person ${person.track}`), span_(said.words), bar);
  return row;
}

function span_(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

// The part of the film that is shown moves on with it.
function follow() {
  if (span >= film.seconds || (now >= from && now <= from + span)) return;
  from = Math.max(0, Math.min(now - span * 0.1, film.seconds - span));
  drawPanels();
}

function jump(way) {
  const apexes = shownEvents().map((one) => one.apex).sort((a, b) => a - b);
  const next = way > 0 ? apexes.find((time) => time > now + 0.005) : apexes.findLast((time) => time < now - 0.005);
  if (next !== undefined) seek(next);
}

let listed = []; // rows of events, with their times and whether they are marked

function listEvents() {
  listed = shownEvents().map((event) => {
    const row = document.createElement("tr");
    const button = document.createElement("button");
    button.type = "button";
    if (event.face) {
      const face = new Image();
      [face.src, face.alt] = [event.face, ""];
      button.append(face);
    }
    const swatch = span_("");
    swatch.className = "swatch";
    swatch.style.background = film.emotions[event.emotion].colour;
    button.append(swatch, wordsOf(event));
    button.setAttribute("aria-label", `${wordsOf(event)}, Person ${event.track}: go to ${clock(event.apex, 1)}`);
    button.addEventListener("click", () => seek(event.apex));
    row.insertCell().append(button);
    row.insertCell().textContent = event.track;
    const before = event.begins_before ? "≤ " : "";
    const after = event.goes_on ? "≥ " : "";
    const numbers = [before + clock(event.onset, 1), clock(event.apex, 1), after + clock(event.offset, 1), event.strength.toFixed(1)];
    for (const text of numbers) {
      const cell = row.insertCell();
      [cell.className, cell.textContent] = ["n", text];
    }
    return { row, onset: event.onset, offset: event.offset, at: false };
  });
  $("events").tBodies[0].replaceChildren(...listed.map((one) => one.row));
  $("events-box").hidden = !listed.length;
  $("none").hidden = listed.length > 0;
}

function choice(box, set, value, label, colour) {
  const element = document.createElement("label");
  const input = document.createElement("input");
  input.type = "checkbox";
  input.checked = set.has(value);
  input.addEventListener("change", () => {
    if (input.checked) set.add(value);
    else set.delete(value);
    drawAll();
  });
  element.append(input);
  if (colour) {
    const swatch = span_("");
    swatch.className = "swatch";
    swatch.style.background = colour;
    element.append(swatch);
  }
  element.append(label);
  box.append(element);
}

function listChoices() {
  for (const box of [$("emotions"), $("persons")]) box.replaceChildren(box.firstElementChild); // the legend
  for (const [emotion, { label, colour, possible }] of Object.entries(film.emotions)) {
    if (possible) choice($("emotions"), chosen.emotions, emotion, label, colour);
  }
  if (film.persons.length < 2) return;
  for (const { track } of film.persons) choice($("persons"), chosen.persons, track, `Person ${track}`);
}

function drawAll() {
  listEvents();
  drawPanels();
  drawBoxes();
  if ($("rows").open) listRows();
}

function listRows() {
  const shown = film.persons.filter((one) => chosen.persons.has(one.track));
  const [head, body] = [$("rows").querySelector("thead"), $("rows").querySelector("tbody")];
  head.replaceChildren();
  const heads = head.insertRow();
  for (const text of ["Time", ...shown.map((one) => `Person ${one.track}`)]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    heads.append(cell);
  }
  const step = Math.max(0.2, film.seconds / 600);
  const rows = [];
  for (let time = 0; time < film.seconds; time += step) {
    const row = document.createElement("tr");
    row.insertCell().textContent = clock(time, 1);
    for (const person of shown) {
      const said = saidOf(person, time);
      row.insertCell().textContent = said ? `${said.words} (${said.strength.toFixed(1)})` : "–";
    }
    rows.push(row);
  }
  body.replaceChildren(...rows);
}

// RFC 4180; words are ours, so that no cell is a formula.
function save(name, rows) {
  const text = rows.map((row) => row.map((cell) => (/[",\r\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(",")).join("\r\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

$("events-csv").addEventListener("click", () => {
  const names = ["track", "emotion", "onset", "apex", "offset", "log_odds", "rank", "begins_before", "goes_on"];
  const rows = shownEvents().map((one) => [one.track, one.emotion, one.onset, one.apex, one.offset, one.strength, one.level, one.begins_before, one.goes_on]);
  save("events.csv", [names, ...rows]);
});
$("rows-csv").addEventListener("click", () => {
  const emotions = Object.keys(film.emotions).filter((one) => film.persons.some((person) => one in person.curves));
  const rows = [["time", "track", "expressed", "rank", ...emotions]];
  for (const person of film.persons.filter((one) => chosen.persons.has(one.track))) {
    person.times.forEach((time, k) => {
      if (time === null) return;
      const said = saidOf(person, time / 1000);
      rows.push([time / 1000, person.track, said.emotion, said.level, ...emotions.map((one) => person.curves[one][k] / 100)]);
    });
  }
  save("curves.csv", rows);
});
$("rows").addEventListener("toggle", () => $("rows").open && listRows());
$("before").addEventListener("click", () => jump(-1));
$("after").addEventListener("click", () => jump(1));

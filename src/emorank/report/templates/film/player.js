// The film: a video, or single frames where the browser cannot play it. `seek` moves it, `onTime` hears of it.
const video = $("video");
const still = $("still");
const boxes = $("boxes");
const CALM = "#7a838d"; // where nothing is expressed
let versions = film.versions; // {label, url, boxes}
let playable = false;
let begun = 0; // performance.now() when frames began to play, 0 when they stand

function seek(time) {
  now = Math.max(0, Math.min(time, film.seconds));
  // A little later than the frame begins, or rounding shows the one before.
  if (playable) video.currentTime = Math.min(now + 0.001, video.duration || now);
  else if (begun) begun = performance.now() - now * 1000;
  onTime();
}

function onTime() {
  if (!playable) showStill();
  drawBoxes();
  drawTime();
}

function showStill() {
  if (!film.stills.length) return;
  const at = film.stills.findLastIndex((one) => one.time <= now + 0.001);
  const { data, time } = film.stills[Math.max(0, at)];
  if (still.dataset.time === String(time)) return;
  still.src = data;
  still.alt = `Frame at ${clock(time)}`;
  still.dataset.time = time;
}

function tick() {
  if (playable && !video.paused) now = Math.min(video.currentTime, film.seconds);
  else if (begun) {
    now = Math.min((performance.now() - begun) / 1000, film.seconds);
    if (now >= film.seconds) playStills(false);
  } else return;
  onTime();
  requestAnimationFrame(tick);
}

function playStills(on) {
  begun = on ? performance.now() - (now < film.seconds ? now : 0) * 1000 : 0;
  $("play").textContent = on ? "Pause" : "Play";
  if (on) requestAnimationFrame(tick);
}

function play(url) {
  video.src = url;
  video.hidden = false;
  still.hidden = true;
  $("play").hidden = true;
}

function cannotPlay() {
  playable = false;
  const next = versions.findIndex((one) => one.url === video.getAttribute("src")) + 1;
  if (next > 0 && next < versions.length) {
    $("version").value = String(next);
    play(versions[next].url);
    return;
  }
  const shown = film.stills.length;
  video.hidden = true;
  still.hidden = !shown;
  $("play").hidden = !shown;
  $("trouble").hidden = false;
  $("trouble").textContent = versions.length
    ? `This browser cannot play the film here${shown ? "; single frames stand for it." : "."}`
    : shown ? "Single frames stand for the film." : "There is no film beside this page.";
  onTime();
}

video.addEventListener("loadedmetadata", () => {
  playable = video.videoWidth > 0;
  if (!playable) return cannotPlay();
  $("trouble").hidden = true;
  if (now) video.currentTime = now + 0.001;
  drawBoxes();
});
video.addEventListener("error", cannotPlay);
video.addEventListener("play", () => requestAnimationFrame(tick));
video.addEventListener("seeked", () => {
  // The browser's own bar has moved the film; our own jumps are there already.
  if (Math.abs(video.currentTime - now) > 0.002) now = Math.min(video.currentTime, film.seconds);
  onTime();
});
$("play").addEventListener("click", () => playStills(!begun));
$("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (!file) return;
  versions = [{ label: file.name, url: URL.createObjectURL(file), boxes: true }];
  $("versions").hidden = true;
  play(versions[0].url);
});
$("version").addEventListener("change", (event) => play(versions[event.target.value].url));
$("with-boxes").addEventListener("change", () => drawBoxes());

function startPlayer() {
  versions.forEach((one, place) => $("version").add(new Option(one.label, place)));
  $("versions").hidden = versions.length < 2;
  if (versions.length) play(versions[0].url);
  else cannotPlay();
}

function drawBoxes() {
  const shown = still.hidden ? video : still;
  const wide = shown.clientWidth;
  const high = shown.clientHeight;
  const zoom = devicePixelRatio;
  if (boxes.width !== Math.round(wide * zoom) || boxes.height !== Math.round(high * zoom)) {
    [boxes.width, boxes.height] = [Math.round(wide * zoom), Math.round(high * zoom)];
    [boxes.style.width, boxes.style.height] = [`${wide}px`, `${high}px`];
  }
  const pen = boxes.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, boxes.width, boxes.height);
  const version = versions[$("version").value || 0];
  $("boxed").hidden = !film.persons.some((one) => one.boxes.length) || Boolean(version && !version.boxes);
  if ($("boxed").hidden || !$("with-boxes").checked || !wide) return;
  const size = shown === video ? [video.videoWidth, video.videoHeight] : [still.naturalWidth, still.naturalHeight];
  const scale = Math.min(wide / size[0], high / size[1]); // the picture within its frame
  const [left, top] = [(wide - size[0] * scale) / 2, (high - size[1] * scale) / 2];
  pen.setTransform(zoom, 0, 0, zoom, left * zoom, top * zoom);
  pen.font = '600 13px system-ui, "DejaVu Sans", sans-serif';
  for (const person of film.persons) {
    if (!chosen.persons.has(person.track)) continue;
    const box = boxAt(person, now);
    if (!box) continue;
    const said = saidOf(person, now);
    const [x, y, x2, y2] = box.map((share, k) => (share / 1000) * size[k % 2] * scale);
    const colour = said?.colour ?? CALM;
    pen.strokeStyle = colour;
    pen.lineWidth = 3;
    pen.strokeRect(x, y, x2 - x, y2 - y);
    const words = `${person.track}${said ? ` ${said.words}` : ""}`;
    const width = pen.measureText(words).width + 10;
    const place = y > 20 ? y - 20 : Math.max(y, 0); // above the face, or in its box
    pen.fillStyle = "rgba(0, 0, 0, .75)";
    pen.fillRect(x - 1.5, place, width, 20);
    pen.fillStyle = colour;
    pen.fillRect(x - 1.5, place, 4, 20);
    pen.fillStyle = "#fff";
    pen.fillText(words, x + 6, place + 14.5);
  }
}

// The box of a person at a time, in thousandths of the frame; null where the person is not seen.
function boxAt(person, time) {
  const at = lastAt(person.boxTimes, time * 1000 + 1);
  if (at < 0 || time * 1000 - person.boxTimes[at] > film.hold) return null;
  return person.boxes.slice(4 * at, 4 * at + 4);
}

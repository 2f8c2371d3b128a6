// The last minute: a strip for each emotion, the higher the stronger. The colours are those of the levels,
// whose order is seen in their lightness too.
const MINUTE = 60000;
const FULL = 6; // log-odds that fill a strip; Strong begins at 3.9
const STRIP = 24; // height of one, CSS pixels
const WORDS = 76; // width of the names
const GAP = 500; // ms: after a longer time nothing was seen in between
const LEVELS = ["--l-None", "--l-Minimal", "--l-Average", "--l-Strong"];

let points = []; // {now, strengths}

export function clearStrips() {
  points = [];
}

export function addPoint(now, strengths) {
  points.push({ now, strengths });
  while (points.length && now - points[0].now > MINUTE) points.shift();
}

export function drawStrips(canvas, now) {
  if (!points.length) return;
  const emotions = Object.keys(points[points.length - 1].strengths);
  const zoom = devicePixelRatio;
  const width = canvas.clientWidth;
  const height = STRIP * emotions.length;
  canvas.style.height = `${height}px`;
  if (canvas.width !== width * zoom || canvas.height !== height * zoom) {
    [canvas.width, canvas.height] = [width * zoom, height * zoom];
  }
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();
  const fills = LEVELS.map(colour);
  const pen = canvas.getContext("2d");
  pen.setTransform(zoom, 0, 0, zoom, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = '13px system-ui, "DejaVu Sans", sans-serif';
  pen.textBaseline = "middle";
  const scale = (width - WORDS) / MINUTE;
  emotions.forEach((emotion, row) => {
    const ground = STRIP * (row + 1) - 2;
    pen.fillStyle = colour("--ink");
    pen.fillText(emotion, 0, ground - STRIP / 2 + 3);
    pen.fillStyle = colour("--line");
    pen.fillRect(WORDS, ground, width - WORDS, 1);
    points.forEach((point, place) => {
      const strength = point.strengths[emotion];
      if (!strength) return;
      const until = points[place + 1]?.now ?? point.now + 60;
      const [odds, level] = strength;
      const size = (Math.max(0, Math.min(odds / FULL, 1))) * (STRIP - 5);
      pen.fillStyle = fills[level ?? 0] ?? fills[0];
      const left = width - (now - point.now) * scale;
      pen.fillRect(left, ground - size, Math.min(until - point.now, GAP) * scale + 0.3, size);
    });
  });
}

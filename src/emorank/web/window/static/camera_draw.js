// Boxes, words and the heatmap over the video.
const KEPT = 40; // frames whose nearest box is remembered, so that a heatmap follows its face

let heat = null; // {bitmap, place, box}
const boxes = new Map(); // frame → box of its nearest face

// Make a canvas as large as the stage that it lies on, in pixels of the screen.
export function fit(canvas, stage, ratio) {
  const width = Math.round(stage.clientWidth * devicePixelRatio);
  const height = Math.round(width / ratio);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  stage.style.aspectRatio = ratio;
}

export function drawBoxes(canvas, answer, mirrored) {
  const pen = canvas.getContext("2d");
  const zoom = canvas.width / answer.size[0];
  pen.clearRect(0, 0, canvas.width, canvas.height);
  answer.faces.forEach(({ row }, place) => {
    const box = boxOf(row, answer.size);
    if (place === 0) remember(answer.frame, box);
    const left = zoom * (mirrored ? answer.size[0] - box.right : box.left);
    const [top, width, height] = [zoom * box.top, zoom * (box.right - box.left), zoom * (box.bottom - box.top)];
    pen.lineWidth = 3 * devicePixelRatio;
    pen.strokeStyle = "#000";
    pen.strokeRect(left, top, width, height);
    pen.lineWidth = 1.5 * devicePixelRatio;
    pen.strokeStyle = "#fff";
    pen.strokeRect(left, top, width, height);
    label(pen, words(row), left, top, top + height, canvas);
  });
}

// "happy · Strong · 8.3", and "neutral" where that is named and nothing else is shown.
export function words(row) {
  if (row.predicted === "neutral" && (row.rank === "None" || row.rank === null)) return "neutral";
  const score = typeof row.score === "number" ? row.score.toFixed(1).replace("-", "−") : null;
  return [row.expressed, row.rank ?? "unsure", score].filter(Boolean).join(" · ");
}

function label(pen, text, left, top, bottom, canvas) {
  const size = Math.max(13, Math.min(20, canvas.width / devicePixelRatio / 28)) * devicePixelRatio;
  pen.font = `600 ${size}px system-ui, "DejaVu Sans", sans-serif`;
  const width = pen.measureText(text).width + size;
  const height = 1.6 * size;
  const x = Math.max(0, Math.min(left, canvas.width - width));
  const above = top - height;
  const y = above >= 0 ? above : Math.min(bottom, canvas.height - height);
  pen.fillStyle = "rgb(0 0 0 / 78%)";
  pen.fillRect(x, y, width, height);
  pen.fillStyle = "#fff";
  pen.textBaseline = "middle";
  pen.fillText(text, x + size / 2, y + height / 2);
}

function boxOf(row, [width, height]) {
  if (row.box_left === undefined) return { left: 0, top: 0, right: width, bottom: height };
  return { left: row.box_left, top: row.box_top, right: row.box_right, bottom: row.box_bottom };
}

function remember(frame, box) {
  boxes.set(frame, box);
  for (const old of boxes.keys()) if (boxes.size > KEPT) boxes.delete(old); else break;
}

export async function keepHeat({ frame, place, picture }) {
  const bitmap = await createImageBitmap(picture);
  heat?.bitmap.close();
  heat = { bitmap, place, box: boxes.get(frame) };
}

export function forgetHeat(canvas) {
  heat?.bitmap.close();
  heat = null;
  canvas?.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

export function drawHeat(canvas, answer, mirrored) {
  const pen = canvas.getContext("2d");
  pen.resetTransform();
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (heat === null || !answer.faces.length) return;
  const zoom = canvas.width / answer.size[0];
  if (mirrored) pen.transform(-1, 0, 0, 1, canvas.width, 0);
  pen.scale(zoom, zoom);
  if (heat.box) { // from where the face was to where it is
    const now = boxOf(answer.faces[0].row, answer.size);
    const grown = (now.right - now.left) / (heat.box.right - heat.box.left);
    pen.transform(grown, 0, 0, grown, now.left - grown * heat.box.left, now.top - grown * heat.box.top);
  }
  const [a, b, x, c, d, y] = heat.place;
  pen.transform(a, c, b, d, x, y);
  pen.drawImage(heat.bitmap, 0, 0);
}

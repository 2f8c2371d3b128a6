// How pictures come in: chosen, taken with the camera of a phone, dropped or pasted.

const $ = (id) => document.getElementById(id);
let pasted = 0;

// Pictures from the clipboard have no name of their own.
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  pasted += 1;
  return new File([file], `pasted ${pasted}.${(file.type.split("/")[1] || "png")}`, { type: file.type });
}

// Call `give` with the files of every way in.
export function watch(give) {
  for (const [button, input] of [["choose", "files"], ["photograph", "photo"]]) {
    $(button).addEventListener("click", () => $(input).click());
    $(input).addEventListener("change", () => {
      give([...$(input).files]);
      $(input).value = ""; // the same file can be chosen again
    });
  }
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    give(files.map(named));
  });
  const over = (on) => document.body.classList.toggle("over", on);
  addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  addEventListener("drop", (event) => {
    over(false);
    const files = [...event.dataTransfer.files];
    if (!files.length) return;
    event.preventDefault();
    give(files);
  });
}

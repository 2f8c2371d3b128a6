// What is wider or higher than its place is reached by Tab and scrolled by the arrow keys.
const WIDE = "article pre, article .table-wrapper, article table.dataframe, article p:has(> img)";

function reach() {
  for (const box of document.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

addEventListener("load", reach);
addEventListener("resize", reach);
// The two lists that a narrow window hides: a button opens each, Escape closes it.
const drawers = document.querySelectorAll(".sidebar-toggle");
for (const drawer of drawers) {
  const buttons = document.querySelectorAll(`button[data-opens="${drawer.id}"]`);
  for (const button of buttons) button.addEventListener("click", () => drawer.click());
  drawer.addEventListener("change", () => {
    for (const button of buttons) button.setAttribute("aria-expanded", drawer.checked);
  });
}
addEventListener("keydown", (event) => {
  for (const drawer of drawers) {
    if (event.key === "Escape" && drawer.checked) drawer.click();
  }
});

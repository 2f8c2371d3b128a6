// Keys and their answers. What a key types comes first, because that is what the button shows; then its
// place, for keyboards that type something else there: "&" on the 1 of a French one, "ы" on the S of
// a Russian one.

// The buttons name their keys: first what it types, then its places.
const TYPED = new Map();
const PLACES = new Map();
for (const button of document.querySelectorAll("[data-answer][data-keys]")) {
  const [typed, ...places] = button.dataset.keys.split(" ");
  TYPED.set(typed, button.dataset.answer);
  for (const place of places) PLACES.set(place, button.dataset.answer);
}

export const answerOf = (event) => TYPED.get(event.key?.toLowerCase()) ?? PLACES.get(event.code);

// Show the letter of the key's place where the keyboard cannot type the button's own. Only some
// browsers tell; elsewhere the buttons stay as they are.
export async function showLetters() {
  const layout = await navigator.keyboard?.getLayoutMap?.().catch(() => null);
  if (!layout) return;
  const typed = new Set(layout.values());
  for (const [letter, place] of [["s", "KeyS"], ["f", "KeyF"]]) {
    const there = layout.get(place);
    if (typed.has(letter) || !there) continue;
    const answer = PLACES.get(place);
    if (!answer) continue; // pairs have no such button
    for (const label of document.querySelectorAll(`[data-answer=${answer}] kbd, kbd[data-of=${answer}]`)) {
      label.textContent = there.toUpperCase();
    }
    document.querySelector(`[data-answer=${answer}]`).setAttribute("aria-keyshortcuts", there.toUpperCase());
  }
}

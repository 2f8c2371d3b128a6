// The page's words, in the rater's language; the server hands them over with the page.

const words = JSON.parse(document.getElementById("room").dataset.words);

// The words of a name, with its {fields} filled in.
export const word = (name, values = {}) =>
  words[name].replace(/\{(\w+)\}/g, (_, field) => values[field]);

// What stands on the button of an answer; a number of the slider has none.
export function labelOf(answer) {
  const button = document.querySelector(`[data-answer="${CSS.escape(answer)}"]`);
  if (!button) return answer;
  const texts = [...button.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  return texts.map((node) => node.textContent).join("").trim();
}

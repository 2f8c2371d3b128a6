// Everything is there: fill the choices, start the film, draw.
const SPANS = [[film.seconds, "the whole film"], [600, "10 minutes"], [60, "1 minute"], [10, "10 seconds"]];
for (const [seconds, label] of SPANS) {
  if (seconds === film.seconds || seconds < film.seconds * 0.8) $("span").add(new Option(label, seconds));
}
$("span").parentElement.hidden = $("span").length < 2;
listChoices();
dark.addEventListener("change", () => {
  pickColours();
  listChoices();
  drawAll();
});
$("choices").hidden = !film.persons.length;
listEvents();
startPlayer();

// The page of a film: everything is drawn from the data in it; nothing is asked of a network.
const $ = (id) => document.getElementById(id);
const film = JSON.parse($("film-data").textContent);
let now = 0; // seconds in the film
let from = 0; // the part that the timeline shows
let span = film.seconds;
const chosen = {
  persons: new Set(film.persons.filter((one) => one.shown).map((one) => one.track)),
  emotions: new Set(Object.keys(film.emotions).filter((one) => film.emotions[one].shown)),
};
for (const person of film.persons) {
  // Times as they are searched: a gap begins when the moment before it has passed.
  let last = -Infinity;
  person.known = person.times.map((time) => (last = time ?? last + film.hold));
}

const dark = matchMedia("(prefers-color-scheme: dark)");
function pickColours() {
  for (const one of Object.values(film.emotions)) one.colour = dark.matches ? one.dark : one.light;
}
pickColours();

// The place of the last number that is not greater, in numbers that do not fall; -1 if there is none.
function lastAt(numbers, most) {
  let [low_, high_] = [0, numbers.length];
  while (low_ < high_) {
    const middle = (low_ + high_) >> 1;
    if (numbers[middle] <= most) low_ = middle + 1;
    else high_ = middle;
  }
  return low_ - 1;
}

// 75.25 s as "1:15.3"; short films in seconds.
function clock(time, places = 1) {
  if (film.seconds < 120) return `${time.toFixed(film.seconds < 1 ? 2 : places)} s`;
  const rounded = Number(time.toFixed(places));
  const minutes = Math.floor(rounded / 60);
  return `${minutes}:${(rounded - 60 * minutes).toFixed(places).padStart(places ? 3 + places : 2, "0")}`;
}

// Asking the server, once or until it answers.

// What it answers to a GET, or to a POST if there is a body. An error has the server's own reason as
// its message, and no status where there was no answer at all.
export async function ask(address, body) {
  const answer = await fetch(address, body === undefined ? { headers: { Accept: "application/json" } } : {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return answer.json();
  const said = await answer.json().catch(() => ({}));
  const error = new Error(said.error || `The server answers ${answer.status}.`);
  error.status = answer.status;
  error.closed = said.closed === true;
  throw error;
}

// Answers of these kinds will not become better by asking again.
export const final = (error) => error.status !== undefined && error.status < 500 && error.status !== 429;

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Try until it works, ever more slowly; `failed` is told of each error, and gives up by throwing.
export async function insist(what, failed) {
  for (let pause = 300; ; pause = Math.min(pause * 2, 8000)) {
    try {
      return await what();
    } catch (error) {
      failed(error);
      await wait(pause);
    }
  }
}

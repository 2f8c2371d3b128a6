// Requests to the server: one, or until it answers.

// The answer to a GET, or to a POST if there is a body. An error has the server's reason as its
// message, and no status if there was no answer.
export async function ask(address, body) {
  const answer = await fetch(address, body === undefined ? { headers: { Accept: "application/json" } } : {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return answer.json();
  const refusal = await answer.json().catch(() => ({}));
  const error = new Error(refusal.error || `The server answers ${answer.status}.`);
  error.status = answer.status;
  error.closed = refusal.closed === true;
  throw error;
}

// Errors that come again if the request is sent again.
export const final = (error) => error.status !== undefined && error.status < 500 && error.status !== 429;

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Try until it works, with longer and longer pauses; `failed` gets each error, and can throw to stop.
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

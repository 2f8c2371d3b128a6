// Requests to the server: one with a time limit, or one that is repeated until the server answers.

export const SILENT = "The server does not answer.";
const FIRST_LIMIT = 10000; // ms for a request; doubled after each failure, for slow networks
const LONGEST_LIMIT = 80000;

// The answer to a GET, or to a POST if there is a body: a Blob is sent as it is, anything else as JSON.
// It is parsed if it is JSON, and a Blob if not. An error has the server's reason as its message, and no
// status if there was no answer.
export function ask(address, body, limit = FIRST_LIMIT) {
  const abort = new AbortController();
  return within(limit, exchange(address, body, abort.signal), () => abort.abort());
}

async function exchange(address, body, signal) {
  const json = { Accept: "application/json" };
  const raw = body instanceof Blob;
  const answer = await fetch(address, body === undefined ? { signal, headers: json } : {
    signal,
    method: "POST",
    headers: { ...json, "Content-Type": raw ? "application/octet-stream" : "application/json" },
    body: raw ? body : JSON.stringify(body),
  }).catch(() => { throw new Error(SILENT); });
  if (answer.ok) {
    return answer.headers.get("Content-Type").startsWith("application/json")
      ? answer.json() : answer.blob();
  }
  const refusal = await answer.json().catch(() => ({}));
  const error = new Error(refusal.error || `The server answers ${answer.status}.`);
  error.status = answer.status;
  error.closed = refusal.closed === true;
  throw error;
}

// What a promise gives, or an error after `limit` ms; then `cancel` is called.
export function within(limit, promise, cancel) {
  let timer = null;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => { fail(new Error(SILENT)); cancel(); }, limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Errors that come again if the request is sent again.
export const final = (error) => error.status >= 400 && error.status < 500
  && ![408, 425, 429].includes(error.status);

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Try until it works, with longer and longer pauses and time limits. `failed` gets each error, and
// can throw to stop. A network that comes back ends the pause.
export async function insist(what, failed) {
  let limit = FIRST_LIMIT;
  for (let pause = 300; ; pause = Math.min(pause * 2, 8000)) {
    try {
      return await what(limit);
    } catch (error) {
      await failed(error);
      await Promise.race([wait(pause), online()]);
      limit = Math.min(limit * 2, LONGEST_LIMIT);
    }
  }
}

let back = null; // one promise for all who wait for the network
function online() {
  back ??= new Promise((done) => {
    addEventListener("online", () => { back = null; done(); }, { once: true });
  });
  return back;
}

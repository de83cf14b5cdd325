// Questions to the server this page came from.
import { fill } from "./dom.js";

async function found(response) {
  const content = await response.json().catch(() => ({ error: `the server answered ${response.status} without words` }));
  if (response.ok) return content;
  const error = new Error(content.error);
  error.status = response.status;
  error.faults = content.faults ?? [];
  throw error;
}

async function fetched(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer; start dyadloop app again and open the address that it prints");
  }
}

/** The answer to a question: without a body it reads, with one it posts JSON. */
export async function ask(path, body = undefined, signal = undefined) {
  const options = body === undefined ? { signal } : {
    method: "POST", signal, headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  return found(await fetched(path, options));
}

/** The answer to a file that is sent as it is. */
export async function send(path, file) {
  return found(await fetched(path, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file }));
}

/**
 * A question of which only the newest matters: while one is under way a newer one waits, and any between is dropped.
 * `act` asks and shows; `failed` is told what went wrong.
 */
export function newest(act, failed) {
  let running = false;
  let waiting = null;
  return async function next(...asked) {
    waiting = asked;
    if (running) return;
    running = true;
    while (waiting) {
      const current = waiting;
      waiting = null;
      try {
        await act(...current);
      } catch (error) {
        failed(error);
      }
    }
    running = false;
  };
}

/** Say in an element what the server is busy with until it is ready. */
export async function watchState(element) {
  for (;;) {
    const state = await ask("/api/state").catch((error) => ({ ready: true, words: error.message }));
    fill(element, [state.words]);
    if (state.ready) return;
    await new Promise((done) => setTimeout(done, 1000));
  }
}

/** A few calls to a whole box, as a client and as its admin make them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface BoxState {
  readonly models: readonly {
    readonly id: string;
    readonly state: string;
    readonly until: number | null;
    readonly workerPid: number | null;
  }[];
  readonly idle: { readonly next: string | null; readonly at: number | null };
}

/** The admin of a box whose data folder lies here. */
export function adminOf({ home, started }: { readonly home: string; readonly started: { readonly url: string } }) {
  const headers = {
    authorization: `Bearer ${readFileSync(join(home, "admin.key"), "utf8").trim()}`,
    "content-type": "application/json",
  };
  const state = async (): Promise<BoxState> =>
    (await (await fetch(`${started.url}/admin/state`, { headers })).json()) as BoxState;
  return {
    headers,
    state,
    model: async (id: string): Promise<BoxState["models"][number]> => {
      const model = (await state()).models.find((one) => one.id === id);
      if (model === undefined) throw new Error(`no model ${id}`);
      return model;
    },
    call: (method: string, path: string, body?: object) =>
      fetch(started.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    post: (path: string, body: object = {}) =>
      fetch(started.url + path, { method: "POST", headers, body: JSON.stringify(body) }),
  };
}

/** One short answer, whole. */
export async function chatOver(url: string, model = "lanthorn-demo"): Promise<{ readonly status: number }> {
  const { status } = await post(url, { model, max_tokens: 2 });
  return { status };
}

/** Reads a stream for so long after its first text and leaves; says how long after it the last text came. */
export async function streamFor(
  url: string,
  forMs: number,
): Promise<{ readonly status: number; readonly textAfterMs: number }> {
  const leaving = new AbortController();
  let firstMs: number | null = null;
  let textAfterMs = 0;
  let status = 0;
  try {
    const wishes = { model: "lanthorn-demo", stream: true, ignore_eos: true, max_tokens: 1_000_000 };
    const response = await ask(url, wishes, leaving.signal);
    status = response.status;
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      if (!chunk.includes('"content"')) continue;
      firstMs ??= performance.now();
      textAfterMs = performance.now() - firstMs;
      if (textAfterMs > forMs) leaving.abort();
    }
  } catch (thrown) {
    if (!leaving.signal.aborted) throw thrown;
  }
  return { status, textAfterMs };
}

async function post(url: string, wishes: object): Promise<Response> {
  const response = await ask(url, wishes, null);
  await response.arrayBuffer();
  return response;
}

function ask(url: string, wishes: object, signal: AbortSignal | null): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "hello" }], ...wishes }),
    signal,
  });
}

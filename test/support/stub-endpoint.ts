/**
 * A scripted box for tests of the page: serves `dist/renderer` and answers the routes the page asks, as the real server
 * would, without a model. Each test changes `script` to play a situation the real server cannot be brought into at will.
 *
 * Alone: `node test/support/stub-endpoint.ts [port]`.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface StubModel {
  readonly id: string;
  readonly context_length: number;
  readonly slots: number;
  readonly demo: boolean;
}

export interface Script {
  models: readonly StubModel[];
  /** Keys that are let in; `admin` sees the state. Empty: everybody may chat, nobody sees the state. */
  keys: Readonly<Record<string, "admin" | "key">>;
  /** Served over TLS with this pair, and its fingerprint told; null: plain HTTP. */
  tls: { readonly cert: string; readonly key: string; readonly fingerprint: string } | null;
  /** False: a key is asked for everywhere. */
  keyless: boolean;
  /** What `/v1/models` refuses with; null: it answers. */
  modelsFailure: { readonly status: number; readonly message: string } | null;
  chatFailure: { readonly status: number; readonly message: string } | null;
  /** The pieces of the answer, each a token. */
  reply: readonly string[];
  firstTokenMs: number;
  tokenMs: number;
  /** Break the stream after this many tokens: `cut` without a word, `error` with an error frame. */
  breakAfter: { readonly tokens: number; readonly how: "cut" | "error" } | null;
  /** `/admin/state`, models filled in from `models`. */
  busy: number;
  queue: readonly { caller: string; model: string; position: number; expectedMs: number | null }[];
}

export const demoModel: StubModel = { id: "lanthorn-demo", context_length: 2048, slots: 4, demo: true };
export const demoSentence =
  "Hello! I am the built-in demo model of Lanthorn 🏮, no bigger than a postcard from your café: always these same words until you add real weights.";

export function defaultScript(): Script {
  return {
    models: [demoModel],
    keys: { "lth_admin-of-the-stub": "admin", "lth_member-of-the-stub": "key" },
    tls: null,
    keyless: true,
    modelsFailure: null,
    chatFailure: null,
    reply: demoSentence.split(/(?<= )/),
    firstTokenMs: 20,
    tokenMs: 5,
    breakAfter: null,
    busy: 0,
    queue: [],
  };
}

export interface StubEndpoint {
  readonly url: string;
  readonly script: Script;
  /** Bodies of `/v1/chat/completions`, in order. */
  readonly chats: unknown[];
  /** Chats whose client left before the end. */
  readonly aborted: () => number;
  close(): Promise<void>;
}

const pageFolder = fileURLToPath(new URL("../../dist/renderer", import.meta.url));
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** The policy the real server sends: a page that breaks it must fail here too. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export async function startStubEndpoint(changes: Partial<Script> = {}, port = 0): Promise<StubEndpoint> {
  const script: Script = { ...defaultScript(), ...changes };
  const chats: unknown[] = [];
  let left = 0;
  let asked = 0;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    void handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = script.tls === null ? createServer(listener) : createTlsServer(script.tls, listener);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://stub").pathname;
    asked += 1;
    response.setHeader("x-request-id", `req_stub${String(asked).padStart(4, "0")}`);
    const caller = callerOf(request);
    if (path === "/ready" || path === "/health") return json(response, 200, { status: "ready", reason: null });
    if (path === "/sign-in") return signIn(request, response);
    if (path === "/sign-out") {
      response.setHeader("set-cookie", "stub_session=; Path=/; Max-Age=0");
      return json(response, 200, { signedOut: true });
    }
    if (path.startsWith("/admin/")) {
      if (caller !== "admin") return refuse(response, 401, "An admin key is needed.");
      return path === "/admin/events" ? events(response) : json(response, 200, state());
    }
    if (path === "/version" || path.startsWith("/v1/")) {
      if (caller === null && !script.keyless) return refuse(response, 401, "A key is needed here.");
      if (path === "/version")
        return json(response, 200, {
          name: "lanthorn",
          version: "0.1.0",
          engine: "stub",
          fingerprint: script.tls?.fingerprint ?? null,
        });
      if (path === "/v1/models") {
        const failure = script.modelsFailure;
        if (failure) return refuse(response, failure.status, failure.message);
        return json(response, 200, { object: "list", data: script.models });
      }
      return chat(request, response);
    }
    file(path, response);
  }

  function callerOf(request: IncomingMessage): "admin" | "key" | null {
    const key = /stub_session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
    return key === undefined ? null : (script.keys[key] ?? null);
  }

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await bodyOf(request)) as { key?: string };
    const kind = script.keys[body.key ?? ""];
    if (kind === undefined) return refuse(response, 401, "Unknown key.");
    response.setHeader("set-cookie", `stub_session=${body.key}; Path=/; HttpOnly; SameSite=Strict`);
    json(response, 200, { caller: { kind, name: "stub" } });
  }

  function state(): object {
    let busy = script.busy;
    return {
      box: { name: "atlas", version: "0.1.0" },
      models: script.models.map((model) => ({
        id: model.id,
        demo: model.demo,
        state: "ready",
        since: Date.now(),
        reason: "asked for at start",
        until: null,
        workerPid: 1,
        contextLength: model.context_length,
        slots: Array.from({ length: model.slots }, () => {
          busy -= 1;
          return { state: busy >= 0 ? "decode" : "idle", tokens: 0, caller: null };
        }),
      })),
      queue: script.queue,
      held: 0,
      idle: { next: null, at: null },
      rss: 118 * 2 ** 20,
    };
  }

  function events(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": keep-alive\n\n");
  }

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await bodyOf(request)) as { model: string; messages: { content: string }[] };
    chats.push(body);
    if (script.chatFailure) return refuse(response, script.chatFailure.status, script.chatFailure.message);
    let gone = false;
    response.on("close", () => {
      gone = !response.writableFinished;
      if (gone) left += 1;
    });
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.flushHeaders();
    const frame = (value: object) => response.write(`data: ${JSON.stringify(value)}\n\n`);
    const head = { id: "chatcmpl-stub", object: "chat.completion.chunk", created: 1, model: body.model };
    const delta = (value: object, finish: string | null = null) =>
      frame({ ...head, choices: [{ index: 0, delta: value, logprobs: null, finish_reason: finish }], usage: null });
    await pause(script.firstTokenMs);
    delta({ role: "assistant", content: "" });
    for (const [index, text] of script.reply.entries()) {
      if (gone) return;
      if (script.breakAfter !== null && index === script.breakAfter.tokens) {
        if (script.breakAfter.how === "cut") return void response.end();
        frame({ error: { message: "The worker ended while it held this request.", code: "worker_died" } });
        return void response.end(": x-lanthorn-target=engine/stub cost=unknown(not_priced)\n\n");
      }
      delta({ content: text });
      await pause(script.tokenMs);
    }
    delta({}, "stop");
    const prompt = body.messages.reduce((sum, message) => sum + message.content.split(" ").length, 7);
    frame({ ...head, choices: [], usage: { prompt_tokens: prompt, completion_tokens: script.reply.length } });
    response.write(`: x-lanthorn-target=engine/${body.model} cost=unknown(not_priced)\n\n`);
    response.end("data: [DONE]\n\n");
  }

  await new Promise<void>((ready) => server.listen(port, "127.0.0.1", ready));
  return {
    url: `${script.tls === null ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script,
    chats,
    aborted: () => left,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, message: string): void {
  json(response, status, { error: { message, type: "invalid_request_error", param: null, code: null } });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const piece of request) text += piece;
  return JSON.parse(text);
}

function file(path: string, response: ServerResponse): void {
  const name = path === "/" ? "index.html" : normalize(path).replace(/^[/\\]+/, "");
  try {
    const content = readFileSync(join(pageFolder, name));
    response.writeHead(200, {
      "content-type": types[extname(name)] ?? "application/octet-stream",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
    });
    response.end(content);
  } catch {
    refuse(response, 404, "No such path.");
  }
}

if (import.meta.main) {
  const stub = await startStubEndpoint({ tokenMs: 30, firstTokenMs: 300 }, Number(process.argv[2] ?? 4848));
  console.log(`The stand-in answers at ${stub.url}; Ctrl-C ends it.`);
}

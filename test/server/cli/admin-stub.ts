/** A scripted server for command tests: answers by method and path, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A value is answered as JSON with 200; a function writes for itself. */
export type Answer = object | ((response: ServerResponse, asked: Asked) => void);

export interface AdminStub {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** Keys of `routes` are `GET /admin/state`, without a query. Anything else is answered 404 as the real server would. */
export async function startAdminStub(routes: Readonly<Record<string, Answer>>): Promise<AdminStub> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const entry: Asked = {
      method: request.method ?? "",
      url: request.url ?? "",
      authorization: request.headers.authorization,
      body: await readBody(request),
    };
    asked.push(entry);
    const route = routes[`${entry.method} ${entry.url.replace(/\?.*$/u, "")}`];
    if (route === undefined) refuse(response, 404, { code: "not_found", message: "There is no such path." });
    else if (typeof route === "function") route(response, entry);
    else sendJson(response, 200, route);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

export function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

export function refuse(response: ServerResponse, status: number, error: object): void {
  sendJson(response, status, { error });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text === "" ? undefined : JSON.parse(text);
}

const times = { since: 1_790_000_000_000, until: null };

/** A box with one loaded model and the demo; nobody is being answered. */
export const idleState = {
  box: { name: "atlas", version: "0.1.0", startedAtMs: 1_790_000_000_000 },
  models: [
    {
      id: "coder",
      demo: false,
      state: "ready",
      reason: "loaded",
      workerPid: 4711,
      contextLength: 65_536,
      slots: [
        { state: "idle", tokens: 0, caller: null },
        { state: "idle", tokens: 812, caller: null },
      ],
      fileName: "qwen3-coder.gguf",
      sizeBytes: 18_575_261_696,
      ...times,
    },
    {
      id: "lanthorn-demo",
      demo: true,
      state: "unloaded",
      reason: "not asked for yet",
      workerPid: null,
      contextLength: 2048,
      slots: [],
      ...times,
    },
  ],
  queue: [],
  held: 0,
  idle: { next: null, at: null },
  rss: 123_456_789,
};

/** What `GET /v1/models` says of the same box. */
export const servedModels = {
  object: "list",
  data: [
    { id: "coder", object: "model", context_length: 65_536, slots: 2, demo: false },
    { id: "lanthorn-demo", object: "model", context_length: 2048, slots: 4, demo: true },
  ],
};

/** The same with one answer running and one request waiting. */
export const busyState = {
  ...idleState,
  models: idleState.models.map((model) =>
    model.id === "coder" ? { ...model, slots: [{ state: "decode", tokens: 900, caller: "jonas" }] } : model,
  ),
  queue: [{ caller: "ayo", model: "coder", position: 1, expectedMs: 6000 }],
};

const noTokens = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
const nothing = {
  requests: 0,
  usage: noTokens,
  knownCostNanos: 0,
  knownCostRequests: 0,
  unknownCostRequests: 0,
};

export const emptySummary = {
  fromMs: null,
  toMs: null,
  total: nothing,
  byStatus: { open: 0, done: 0, failed: 0, refused: 0, aborted: 0, interrupted: 0 },
  byAlias: [],
  byCaller: [],
};

const someTokens = { promptTokens: 41_220, cachedTokens: 35_072, completionTokens: 412, reasoningTokens: 0 };
const some = { requests: 3, usage: someTokens, knownCostNanos: 0, knownCostRequests: 0, unknownCostRequests: 3 };

export const someSummary = {
  ...emptySummary,
  fromMs: Date.parse("2026-11-01T00:00:00+01:00"),
  total: some,
  byStatus: { ...emptySummary.byStatus, done: 2, aborted: 1 },
  byAlias: [{ alias: "coder", ...some }],
  byCaller: [{ callerKind: "key", keyId: 2, callerName: "jonas", ...some }],
};

export const someKeys = [
  {
    id: 1,
    kind: "admin",
    name: "admin",
    label: null,
    tail: "aaaa",
    createdAtMs: Date.parse("2026-11-01T12:00:00+01:00"),
    lastUsedAtMs: null,
    revokedAtMs: null,
    expiresAtMs: null,
  },
  {
    id: 2,
    kind: "inference",
    name: "jonas",
    label: "opencode laptop",
    tail: "9f3c",
    createdAtMs: Date.parse("2026-11-02T12:00:00+01:00"),
    lastUsedAtMs: null,
    revokedAtMs: null,
    expiresAtMs: null,
  },
  {
    id: 3,
    kind: "inference",
    name: "ci-bot",
    label: null,
    tail: "07ae",
    createdAtMs: Date.parse("2026-11-03T12:00:00+01:00"),
    lastUsedAtMs: null,
    revokedAtMs: Date.parse("2026-11-18T12:00:00+01:00"),
    expiresAtMs: Date.parse("2099-01-12T12:00:00+01:00"),
  },
];

export const someRequest = {
  id: "req_7Q2M00000000000000000a",
  startedAtMs: Date.parse("2026-11-12T14:02:11+01:00"),
  callerKind: "key",
  keyId: 2,
  callerName: "jonas",
  dialect: "openai-chat",
  alias: "coder",
  task: null,
  stream: true,
  status: "done",
  finishReason: "stop",
  failureCode: null,
  durationMs: 14_800,
  ttftMs: 5500,
  usage: someTokens,
  timings: { queueMs: 2100, loadMs: 0, prefillMs: 3400, decodeMs: 9300 },
  cost: { known: false, reason: "not_priced" },
  knownCostNanos: 0,
  unknownCostAttempts: 1,
  plan: null,
  notes: [],
  attempts: [
    {
      number: 1,
      target: "engine/coder",
      reason: "only_target",
      offsetMs: 0,
      status: "done",
      failureCode: null,
      durationMs: 14_800,
      usage: someTokens,
      timings: { queueMs: 2100, loadMs: 0, prefillMs: 3400, decodeMs: 9300 },
      cost: { known: false, reason: "not_priced" },
      pricing: null,
      upstreamRequestId: null,
    },
  ],
};

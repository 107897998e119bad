/**
 * `/admin/routes`: where aliases lead and how their targets are. `POST /admin/routes/explain` tells the plan a described request
 * would get now, `POST /admin/routes/test` sends the smallest real one through and answers with its row, and
 * `POST /admin/routes/health` looks at every target by itself.
 */
import { plainRequest } from "../../domain/plain-request.ts";
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isEnd } from "../../domain/chat.ts";
import type { Caller } from "../../domain/caller.ts";
import { asFailure, type Failure } from "../../domain/failure.ts";
import { draftOf } from "../../domain/routing/modes/cascade.ts";
import { readWishes, type RequestFacts } from "../../domain/routing/request-facts.ts";
import { newRequestId } from "../../platform/ids.ts";
import type { HttpDeps } from "../deps.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

/** Names on trial are longer than aliases may be. */
const word = z.string().trim().min(1).max(300);
const tokens = z.int().min(0).max(1_000_000_000);

/** What `RequestFacts` are, all of them optional; headers may be given as a client would send them. */
const described = z.strictObject({
  capability: z.enum(["chat", "embeddings", "rerank"]).optional(),
  promptTokens: tokens.optional(),
  counted: z.boolean().optional(),
  maxTokens: tokens.nullable().optional(),
  needs: z.array(z.enum(["tools", "images", "files", "json-schema"])).optional(),
  caller: z.string().max(200).optional(),
  role: word.nullable().optional(),
  task: word.nullable().optional(),
  tier: word.nullable().optional(),
  data: z.enum(["local", "no-retention", "any"]).optional(),
  serviceTier: z.enum(["standard", "batch", "flex", "priority"]).optional(),
  atMs: z.number().min(0).max(8.64e15).optional(),
  budgetLeft: z.number().min(0).max(1).nullable().optional(),
});

const explainBody = z.object({
  model: word,
  facts: described.default({}),
  headers: z.record(z.string(), z.string().max(1000)).default({}),
});
const testBody = z.object({ model: word });
const healthBody = z.object({ model: word, depth: z.enum(["reachable", "listed", "answers"]).default("listed") });
const askBody = z.strictObject({
  model: word,
  prompt: z.string().min(1).max(1_000_000),
  system: z.string().max(1_000_000).optional(),
  maxTokens: z.int().min(1).max(1_000_000).optional(),
  schema: z.record(z.string(), z.unknown()).optional(),
  /** What asks, for the row: `route eval`. */
  purpose: z.enum(["calibrate", "eval"]),
});

/** Whoever administers tries a route out: its row says so. */
const tester: Caller = Object.freeze({ kind: "admin", keyId: null, name: "route test" });

export const routesResource: AdminResource = ({ deps, readBody }) => [
  {
    method: "GET",
    path: "/admin/routes",
    handle(_request, response) {
      sendJson(response, 200, { routes: deps.routing.routes(), targets: deps.routing.state() });
    },
  },
  {
    method: "POST",
    path: "/admin/routes/explain",
    async handle(request, response) {
      const body = explainBody.safeParse(await readBody(request, response));
      if (!body.success) throw fieldFailure(body.error);
      const { model, facts, headers } = body.data;
      sendJson(response, 200, { plan: deps.routing.explain(model, { ...said(headers), ...given(facts) }) });
    },
  },
  {
    method: "POST",
    path: "/admin/routes/test",
    async handle(request, response) {
      const body = testBody.safeParse(await readBody(request, response));
      if (!body.success) throw fieldFailure(body.error);
      const leaving = new AbortController();
      response.once("close", () => leaving.abort());
      const requestId = newRequestId();
      const failure = await tried(deps, requestId, body.data.model, leaving.signal);
      sendJson(response, 200, {
        ok: failure === null,
        failure: failure === null ? null : { code: failure.code, message: failure.message },
        request: await deps.reports.show(requestId),
      });
    },
  },
  {
    method: "POST",
    path: "/admin/routes/health",
    async handle(request, response) {
      const body = healthBody.safeParse(await readBody(request, response));
      if (!body.success) throw fieldFailure(body.error);
      const leaving = new AbortController();
      response.once("close", () => leaving.abort());
      const targets = await deps.routing.probe(body.data.model, body.data.depth, leaving.signal);
      sendJson(response, 200, { ok: targets.every(({ able }) => able), targets });
    },
  },
  {
    method: "POST",
    path: "/admin/routes/ask",
    async handle(request, response) {
      const body = askBody.safeParse(await readBody(request, response));
      if (!body.success) throw fieldFailure(body.error);
      const leaving = new AbortController();
      response.once("close", () => leaving.abort());
      sendJson(response, 200, await answered(deps, body.data, leaving.signal));
    },
  },
];

/** One answer with how sure the model was of it and what it cost, for calibrating and comparing. */
async function answered(
  deps: Pick<HttpDeps, "inference" | "clock" | "reports">,
  { model, prompt, system, maxTokens, schema, purpose }: z.output<typeof askBody>,
  signal: AbortSignal,
): Promise<object> {
  const requestId = newRequestId();
  const caller: Caller = { ...tester, name: `route ${purpose}` };
  const base = smallest(model);
  const text = (words: string) => [{ type: "text" as const, text: words }];
  const request: ChatRequest = {
    ...base,
    messages: [
      ...(system === undefined ? [] : [{ role: "system" as const, content: text(system) }]),
      { role: "user", content: text(prompt) },
    ],
    sampling: { ...base.sampling, temperature: 0 },
    maxTokens: maxTokens ?? null,
    logprobs: purpose === "calibrate" ? { top: 0 } : null,
    responseFormat: schema === undefined ? { type: "text" } : { type: "json-schema", schema, param: "schema" },
  };
  const startedMs = deps.clock.monotonicMs();
  const facts = { requestId, caller, dialect: "route-test", startedAtMs: deps.clock.now(), request };
  const events: ChatEvent[] = [];
  let end: EndEvent | null = null;
  let failure: Failure | null = null;
  try {
    for await (const event of deps.inference.chat(facts, signal)) {
      if (isEnd(event)) end = event;
      else events.push(event);
    }
    if (end?.type === "failed") failure = end.failure;
  } catch (thrown) {
    failure = asFailure(thrown);
  }
  const durationMs = deps.clock.monotonicMs() - startedMs;
  const { cost, knownNanos, target } = deps.inference.closing(requestId);
  return {
    requestId,
    target,
    text: events.map((event) => (event.type === "text" ? event.text : "")).join(""),
    finishReason: end?.type === "finished" ? end.finishReason : null,
    confidence: end === null ? null : (draftOf(events, end).confidence?.value ?? null),
    durationMs,
    costNanos: cost.known ? cost.nanos : null,
    knownNanos: knownNanos ?? 0,
    failure: failure === null ? null : { code: failure.code, message: failure.message },
  };
}

/** The facts of headers, where there are any. */
function said(headers: Readonly<Record<string, string>>): Partial<RequestFacts> {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const { data, ...words } = readWishes((name) => lower.get(name));
  return { ...words, ...(data === null ? {} : { data }) };
}

/** Without what was left out, so that it does not hide what headers say. */
function given(facts: z.output<typeof described>): Partial<RequestFacts> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** Null: it was answered. */
async function tried(
  { inference, routing, clock }: Pick<HttpDeps, "inference" | "routing" | "clock">,
  requestId: string,
  model: string,
  signal: AbortSignal,
): Promise<Failure | null> {
  const facts = { requestId, caller: tester, dialect: "route-test", startedAtMs: clock.now() };
  const capabilities = routing.models().find(({ alias }) => alias === model)?.capabilities ?? ["chat"];
  const events = capabilities.includes("chat")
    ? inference.chat({ ...facts, request: smallest(model) }, signal)
    : capabilities.includes("embeddings")
      ? inference.embed(
          { ...facts, request: { model, inputs: [{ type: "text", text: "ok" }], dimensions: null } },
          signal,
        )
      : inference.rerank({ ...facts, request: { model, query: "ok", documents: ["ok"] } }, signal);
  try {
    for await (const event of events) if (isEnd(event) && event.type === "failed") return event.failure;
    return null;
  } catch (thrown) {
    return asFailure(thrown);
  }
}

/** One word in, a few tokens out: some models think before they say anything. */
function smallest(model: string): ChatRequest {
  return { ...plainRequest(model, "Say ok.", 16), stream: true };
}

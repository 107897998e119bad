/**
 * `/admin/routes`: where aliases lead and how their targets are. `POST /admin/routes/explain` tells the plan a described request
 * would get now, `POST /admin/routes/test` sends the smallest real one through and answers with its row.
 */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { type ChatRequest, isEnd } from "../../domain/chat.ts";
import type { Caller } from "../../domain/caller.ts";
import { asFailure, type Failure } from "../../domain/failure.ts";
import { readWishes, type RequestFacts } from "../../domain/routing/request-facts.ts";
import { newRequestId } from "../../platform/ids.ts";
import type { HttpDeps } from "../deps.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const word = z.string().trim().min(1).max(200);
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
];

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
  return {
    model,
    messages: [{ role: "user", content: [{ type: "text", text: "Say ok." }] }],
    completion: null,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    responseFormat: { type: "text" },
    sampling: {
      temperature: null,
      topP: null,
      topK: null,
      minP: null,
      seed: null,
      frequencyPenalty: null,
      presencePenalty: null,
      repeatPenalty: null,
      logitBias: new Map(),
    },
    maxTokens: 16,
    choices: 1,
    logprobs: null,
    stop: [],
    ignoreEos: false,
    cachePrompt: true,
    cacheKey: null,
    stream: true,
    includeUsage: false,
  };
}

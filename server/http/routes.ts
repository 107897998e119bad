/**
 * The whole HTTP surface of the box, as one table: method, path, who may, in whose words, and what answers. Runs in the
 * server. Who may what is decided by `server/access` from the `access` column; nothing else decides it.
 */
import { type dialects, wholeDialects } from "../dialects/index.ts";
import { chatAmongServed, wholeAmongServed } from "../dialects/ollama/among-served.ts";
import { createAdmin } from "./admin/index.ts";
import type { AdminParts } from "./admin/resource.ts";
import { batchRoutes } from "./batch-routes.ts";
import { boxFailures } from "./box-failures.ts";
import { type ChatRouteParts, chatRoute } from "./chat-route.ts";
import { countRoute } from "./count-route.ts";
import type { HttpDeps } from "./deps.ts";
import { feedbackRoute } from "./feedback-route.ts";
import { healthRoutes } from "./health.ts";
import type { InFlight } from "./in-flight.ts";
import { metricsRoute } from "./metrics-route.ts";
import { modelsRoutes } from "./models-route.ts";
import { ollamaRoutes } from "./ollama-routes.ts";
import { createPage } from "./page.ts";
import { rentalRoutes } from "./rental-routes.ts";
import { responsesRoutes } from "./responses-route.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";
import { throughExpress } from "./through-express.ts";
import { wholeRoute } from "./whole-route.ts";

export interface RouteParts extends ChatRouteParts, Omit<AdminParts, "deps"> {
  readonly deps: HttpDeps;
  readonly inFlight: InFlight;
  readonly dialects: typeof dialects;
}

export function routeTable(parts: RouteParts): readonly Route[] {
  const { deps, inFlight } = parts;
  const openai = parts.dialects["openai-chat"];
  const completions = parts.dialects["openai-completions"];
  const box = { ...openai, ...boxFailures };
  const health = healthRoutes(deps, inFlight);
  const anthropic = parts.dialects["anthropic-messages"];
  const models = modelsRoutes(openai, anthropic, deps);
  const sessions = sessionRoutes(deps, ({ request, response }) => parts.readBody(request, response));
  const admin = createAdmin(parts);
  const page = createPage(deps.pageFolder, deps.log);
  const chat = chatRoute(openai, parts);
  const embed = wholeRoute(wholeDialects["openai-embeddings"], parts, deps.inference.embed);
  const rerank = wholeRoute(wholeDialects.rerank, parts, deps.inference.rerank);
  const served = deps.inference.models;
  const ollama = chatAmongServed(parts.dialects.ollama, served);
  const generate = chatAmongServed(parts.dialects["ollama-generate"], served);
  const ollamaEmbed = wholeAmongServed(wholeDialects["ollama-embed"], served);
  const ollamaEmbeddings = wholeAmongServed(wholeDialects["ollama-embeddings"], served);
  const responses = parts.dialects["openai-responses"];
  const answers = responsesRoutes(responses, parts);
  const byAdmin = throughExpress(admin.serve);
  const byPage = throughExpress(page.serve);

  return [
    { method: "GET", path: "/health", access: "open", dialect: box, handle: health.alive },
    { method: "GET", path: "/ready", access: "open", dialect: box, handle: health.ready },
    { method: "GET", path: "/version", access: "inference", dialect: box, handle: health.version },

    { method: "POST", path: "/v1/chat/completions", access: "inference", dialect: openai, handle: chat },
    {
      method: "POST",
      path: "/v1/completions",
      access: "inference",
      dialect: completions,
      handle: chatRoute(completions, parts),
    },
    { method: "POST", path: "/v1/responses", access: "inference", dialect: responses, handle: answers.create },
    { method: "GET", path: "/v1/responses/:id", access: "inference", dialect: responses, handle: answers.retrieve },
    { method: "DELETE", path: "/v1/responses/:id", access: "inference", dialect: responses, handle: answers.remove },
    {
      method: "GET",
      path: "/v1/responses/:id/input_items",
      access: "inference",
      dialect: responses,
      handle: answers.inputItems,
    },
    {
      method: "POST",
      path: "/v1/responses/:id/cancel",
      access: "inference",
      dialect: responses,
      handle: answers.cancel,
    },
    { method: "POST", path: "/v1/embeddings", access: "inference", dialect: openai, handle: embed },
    { method: "POST", path: "/v1/rerank", access: "inference", dialect: openai, handle: rerank },
    {
      method: "POST",
      path: "/v1/messages",
      access: "inference",
      dialect: anthropic,
      handle: chatRoute(anthropic, parts),
    },
    {
      method: "POST",
      path: "/v1/messages/count_tokens",
      access: "inference",
      dialect: anthropic,
      handle: countRoute(anthropic, parts),
    },
    {
      method: "POST",
      path: "/v1/feedback",
      access: "inference",
      dialect: openai,
      handle: feedbackRoute(openai, deps, ({ request, response }) => parts.readBody(request, response)),
    },
    ...(deps.batches === undefined
      ? []
      : batchRoutes(deps.batches, openai, {
          ...parts,
          readBody: ({ request, response }) => parts.readBody(request, response),
        })),
    { method: "GET", path: "/v1/models", access: "inference", dialect: openai, handle: models.list },
    { method: "GET", path: "/v1/models/*id", access: "inference", dialect: openai, handle: models.one },

    { method: "POST", path: "/api/chat", access: "inference", dialect: ollama, handle: chatRoute(ollama, parts) },
    {
      method: "POST",
      path: "/api/generate",
      access: "inference",
      dialect: generate,
      handle: chatRoute(generate, parts),
    },
    {
      method: "POST",
      path: "/api/embed",
      access: "inference",
      dialect: ollama,
      handle: wholeRoute(ollamaEmbed, parts, deps.inference.embed),
    },
    {
      method: "POST",
      path: "/api/embeddings",
      access: "inference",
      dialect: ollama,
      handle: wholeRoute(ollamaEmbeddings, parts, deps.inference.embed),
    },
    ...ollamaRoutes({ dialect: ollama, deps, readBody: ({ request, response }) => parts.readBody(request, response) }),

    ...rentalRoutes(box, deps.rental ?? {}, ({ request, response }) => parts.readBody(request, response)),

    { method: "POST", path: "/sign-in", access: "open", dialect: box, handle: sessions.signIn },
    { method: "POST", path: "/sign-out", access: "inference", dialect: box, handle: sessions.signOut },

    ...(deps.metrics === undefined
      ? []
      : [
          {
            method: "GET",
            path: "/metrics",
            access: "admin",
            dialect: box,
            handle: metricsRoute(deps.metrics),
          } satisfies Route,
        ]),
    ...admin.routes.map(
      ({ method, path }): Route => ({ method, path, access: "admin", dialect: box, handle: byAdmin }),
    ),
    ...page.paths.map((path): Route => ({ method: "GET", path, access: "open", dialect: box, handle: byPage })),
  ];
}

/**
 * The whole HTTP surface of the box, as one table: method, path, who may, in whose words, and what answers. Runs in the
 * server. Who may what is decided by `server/access` from the `access` column; nothing else decides it.
 */
import { type dialects, wholeDialects } from "../dialects/index.ts";
import { createAdmin } from "./admin/index.ts";
import type { AdminParts } from "./admin/resource.ts";
import { boxFailures } from "./box-failures.ts";
import { type ChatRouteParts, chatRoute } from "./chat-route.ts";
import type { HttpDeps } from "./deps.ts";
import { healthRoutes } from "./health.ts";
import { metricsRoute } from "./metrics-route.ts";
import { modelsRoutes } from "./models-route.ts";
import { createPage } from "./page.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";
import { throughExpress } from "./through-express.ts";
import { wholeRoute } from "./whole-route.ts";

export interface RouteParts extends ChatRouteParts, Omit<AdminParts, "deps"> {
  readonly deps: HttpDeps;
  readonly dialects: typeof dialects;
}

export function routeTable(parts: RouteParts): readonly Route[] {
  const { deps, inFlight } = parts;
  const openai = parts.dialects["openai-chat"];
  const completions = parts.dialects["openai-completions"];
  const box = { ...openai, ...boxFailures };
  const health = healthRoutes(deps, inFlight);
  const models = modelsRoutes(openai, deps);
  const sessions = sessionRoutes(deps, ({ request, response }) => parts.readBody(request, response));
  const admin = createAdmin(parts);
  const page = createPage(deps.pageFolder, deps.log);
  const chat = chatRoute(openai, parts);
  const embed = wholeRoute(wholeDialects["openai-embeddings"], parts, deps.inference.embed);
  const rerank = wholeRoute(wholeDialects.rerank, parts, deps.inference.rerank);
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
    { method: "POST", path: "/v1/embeddings", access: "inference", dialect: openai, handle: embed },
    { method: "POST", path: "/v1/rerank", access: "inference", dialect: openai, handle: rerank },
    { method: "GET", path: "/v1/models", access: "inference", dialect: openai, handle: models.list },
    { method: "GET", path: "/v1/models/*id", access: "inference", dialect: openai, handle: models.one },

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

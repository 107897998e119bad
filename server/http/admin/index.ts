/** The admin resources by name, and the express application that serves them. Runs in the server. */
import express from "express";
import { asFailure } from "../../domain/failure.ts";
import { sendAdminFailure } from "./failure.ts";
import { configResource } from "./config.ts";
import { eventsResource } from "./events.ts";
import { keysResource } from "./keys.ts";
import type { AdminParts, AdminResource, AdminRoute } from "./resource.ts";
import { stateResource } from "./state.ts";
import { stopResource } from "./stop.ts";
import { usageResource } from "./usage.ts";

export const adminResources = Object.freeze({
  state: stateResource,
  stop: stopResource,
  keys: keysResource,
  usage: usageResource,
  config: configResource,
  events: eventsResource,
}) satisfies Readonly<Record<string, AdminResource>>;

export interface AdminApplication {
  readonly routes: readonly AdminRoute[];
  readonly serve: express.Express;
}

export function createAdmin(parts: AdminParts): AdminApplication {
  const routes = Object.values(adminResources).flatMap((resource) => resource(parts));
  const app = express();
  app.disable("x-powered-by");
  app.set("case sensitive routing", true);
  app.set("strict routing", true);
  for (const route of routes) {
    const register = { GET: app.get, POST: app.post, DELETE: app.delete }[route.method];
    register.call(app, route.path, (request, response) => route.handle(request, response));
  }
  app.use((thrown: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    const failure = asFailure(thrown);
    if (failure.code === "internal") parts.deps.log.error({ error: failure.cause }, "an admin request failed inside");
    sendAdminFailure(response, failure);
  });
  return { routes, serve: app };
}

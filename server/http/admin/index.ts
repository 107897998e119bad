/** The admin resources by name, and the express application that serves them. Runs in the server. */
import type { RequestListener } from "node:http";
import type { RequestHandler } from "express";
import { answerFailures, createApplication } from "../through-express.ts";
import { budgetsResource } from "./budgets.ts";
import { configResource } from "./config.ts";
import { downloadsResource } from "./downloads.ts";
import { eventsResource } from "./events.ts";
import { hardwareResource } from "./hardware.ts";
import { keysResource } from "./keys.ts";
import { moneyResource } from "./money.ts";
import { modelsResource } from "./models.ts";
import { providersResource } from "./providers.ts";
import type { AdminParts, AdminResource, AdminRoute } from "./resource.ts";
import { rentalsResource } from "./rentals.ts";
import { routeChangesResource } from "./route-changes.ts";
import { reconcileResource } from "./reconcile.ts";
import { routesResource } from "./routes.ts";
import { stateResource } from "./state.ts";
import { stayAwakeResource } from "./stay-awake.ts";
import { stopResource } from "./stop.ts";
import { usageResource } from "./usage.ts";

export const adminResources = Object.freeze({
  state: stateResource,
  hardware: hardwareResource,
  stop: stopResource,
  keys: keysResource,
  models: modelsResource,
  stayAwake: stayAwakeResource,
  usage: usageResource,
  reconcile: reconcileResource,
  budgets: budgetsResource,
  money: moneyResource,
  config: configResource,
  downloads: downloadsResource,
  providers: providersResource,
  rentals: rentalsResource,
  routes: routesResource,
  routeChanges: routeChangesResource,
  events: eventsResource,
}) satisfies Readonly<Record<string, AdminResource>>;

export interface AdminApplication {
  readonly routes: readonly AdminRoute[];
  readonly serve: RequestListener;
}

export function createAdmin(parts: AdminParts): AdminApplication {
  const routes = Object.values(adminResources).flatMap((resource) => resource(parts));
  const app = createApplication();
  for (const route of routes) {
    const { path } = route;
    const handle: RequestHandler = (request, response) => route.handle(request, response);
    if (route.method === "GET") app.get(path, handle);
    else if (route.method === "POST") app.post(path, handle);
    else app.delete(path, handle);
  }
  answerFailures(app, parts.deps.log);
  return { routes, serve: app };
}

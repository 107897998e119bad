/**
 * `/admin/routes/changes`: routes are tried out beside those that answer, then taken or dropped. What begins here is asked for by
 * `POST /admin/routes/ask` under the names it is given; nobody else knows them.
 */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const beginBody = z.strictObject({
  /** By alias, as they would stand in the settings; null: the alias goes. */
  routes: z.record(z.string(), z.unknown()).refine((routes) => Object.keys(routes).length > 0, "must name a route"),
  dryRun: z.boolean().default(false),
});

export const routeChangesResource: AdminResource = ({ deps, readBody }) => [
  {
    method: "POST",
    path: "/admin/routes/changes",
    async handle(request, response) {
      const body = beginBody.safeParse(await readBody(request, response));
      if (!body.success) throw fieldFailure(body.error);
      const { routes, dryRun } = body.data;
      sendJson(response, 200, deps.routeDesk.begin(routes, { dryRun }));
    },
  },
  {
    method: "POST",
    path: "/admin/routes/changes/:id/apply",
    handle(request, response) {
      sendJson(response, 200, deps.routeDesk.take(request.params.id as string));
    },
  },
  {
    method: "DELETE",
    path: "/admin/routes/changes/:id",
    handle(request, response) {
      if (!deps.routeDesk.drop(request.params.id as string)) throw new Failure("not_found", "There is no such change.");
      sendJson(response, 200, { dropped: true });
    },
  },
];

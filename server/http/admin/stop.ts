/** `POST /admin/stop`: ends this server. Answers first, stops then. */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const stopBody = z.object({ now: z.boolean().default(false) });

export const stopResource: AdminResource = ({ deps, readBody }) => [
  {
    method: "POST",
    path: "/admin/stop",
    async handle(request, response) {
      const body = stopBody.safeParse((await readBody(request, response)) ?? {});
      if (!body.success) throw fieldFailure(body.error);
      response.once("close", () => deps.stop({ now: body.data.now }));
      response.setHeader("connection", "close");
      sendJson(response, 202, { stopping: true });
    },
  },
];

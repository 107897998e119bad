/** `/admin/downloads`: models on their way to this box. What moves is told on `/admin/events`. */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource, AdminRoute } from "./resource.ts";

const startBody = z.object({
  model: z.string().min(1).max(600),
  acceptLicense: z.boolean().default(false),
  alias: z.string().max(200).nullish(),
  /** 0: no cap of its own. */
  rateBytesPerSecond: z
    .int()
    .min(0)
    .max(2 ** 40)
    .default(0),
});

export const downloadsResource: AdminResource = ({ deps, readBody }) => {
  const { downloads } = deps;
  const act = (action: "pause" | "resume" | "cancel"): AdminRoute => ({
    method: "POST",
    path: `/admin/downloads/:id/${action}`,
    async handle(request, response) {
      sendJson(response, 200, { download: await downloads[action](String(request.params.id)) });
    },
  });
  return [
    {
      method: "GET",
      path: "/admin/downloads",
      handle(_request, response) {
        sendJson(response, 200, { downloads: downloads.list() });
      },
    },
    {
      method: "POST",
      path: "/admin/downloads",
      async handle(request, response) {
        const body = startBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const { model, acceptLicense, alias, rateBytesPerSecond } = body.data;
        const wish = { model, acceptLicense, alias: alias ?? null, rateBytesPerSecond };
        sendJson(response, 202, { download: downloads.start(wish) });
      },
    },
    act("pause"),
    act("resume"),
    act("cancel"),
  ];
};

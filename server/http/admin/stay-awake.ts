/** `POST /admin/stay-awake`: the box does not stop for want of use before then. Models leave memory as they would. */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

/** Epoch milliseconds; null: it need not stay awake any more. */
const awakeBody = z.object({ untilMs: z.int().min(0).nullable() });

export const stayAwakeResource: AdminResource = ({ deps, readBody }) => [
  {
    method: "POST",
    path: "/admin/stay-awake",
    async handle(request, response) {
      const body = awakeBody.safeParse((await readBody(request, response)) ?? {});
      if (!body.success) throw fieldFailure(body.error);
      sendJson(response, 200, { idle: deps.stayAwake(body.data.untilMs) });
    },
  },
];

/** `GET /admin/hardware`: what is in this box as it was seen last, each figure with its source, and how old the look is. */
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

export const hardwareResource: AdminResource = ({ deps }) => [
  {
    method: "GET",
    path: "/admin/hardware",
    handle(_request, response) {
      const view = deps.hardware();
      sendJson(response, 200, { ...view, ageMs: Math.max(0, deps.clock.now() - view.sampledAtMs) });
    },
  },
];

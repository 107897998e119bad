/** `GET /admin/state`: what this box is doing now, in the shape design and UI share. */
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

export const stateResource: AdminResource = ({ deps }) => [
  {
    method: "GET",
    path: "/admin/state",
    async handle(_request, response) {
      sendJson(response, 200, await deps.boxState());
    },
  },
];

/** `GET /admin/config`: every setting, its value and where the value came from. */
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

export const configResource: AdminResource = ({ deps }) => [
  {
    method: "GET",
    path: "/admin/config",
    handle(_request, response) {
      sendJson(response, 200, deps.configuration());
    },
  },
];

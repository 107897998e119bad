/** `/admin/usage/savings`, `/power` and `/forecast`: what was saved, what this box cost, what the month will cost. */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const monthQuery = z.object({
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month such as "2026-11"')
    .optional(),
});

function monthOf(query: unknown): string | null {
  const read = monthQuery.safeParse(query);
  if (!read.success) throw fieldFailure(read.error);
  return read.data.month ?? null;
}

export const moneyResource: AdminResource = ({ deps }) => [
  {
    method: "GET",
    path: "/admin/usage/savings",
    async handle(request, response) {
      sendJson(response, 200, await deps.money.savings(monthOf(request.query)));
    },
  },
  {
    method: "GET",
    path: "/admin/usage/power",
    async handle(request, response) {
      sendJson(response, 200, await deps.money.power(monthOf(request.query)));
    },
  },
  {
    method: "GET",
    path: "/admin/usage/forecast",
    async handle(_request, response) {
      sendJson(response, 200, await deps.money.forecast());
    },
  },
];

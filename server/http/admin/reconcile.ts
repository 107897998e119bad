/** `POST /admin/usage/reconcile`: the ledger beside what providers bill. It is asked for by hand: it contacts them. */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const wish = z
  .object({
    provider: z.string().min(1).max(60).nullish(),
    /** Days in UTC, both included. */
    from: z.string().nullish(),
    to: z.string().nullish(),
  })
  .default({});

export const reconcileResource: AdminResource = ({ deps, readBody }) => [
  {
    method: "POST",
    path: "/admin/usage/reconcile",
    async handle(request, response) {
      const { bills } = deps;
      if (bills === undefined) throw new Failure("not_found", "This box reads no bills.");
      const read = wish.safeParse(await readBody(request, response));
      if (!read.success) throw fieldFailure(read.error);
      const { provider, from, to } = read.data;
      const leaving = new AbortController();
      response.once("close", () => leaving.abort(new Failure("cancelled", "Whoever asked has left.")));
      const asked = { provider: provider ?? null, from: from ?? null, to: to ?? null };
      sendJson(response, 200, await bills.reconcile(asked, leaving.signal));
    },
  },
];

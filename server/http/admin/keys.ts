/** `/admin/keys`: who may use this box. A secret is answered once, when it is made, and never again. */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import type { KeyRow } from "../../ledger/rows.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

/** Null or absent: as the settings say of every key; 0: no limit. */
const limitValue = z
  .int()
  .nullish()
  .transform((value) => value ?? null);
const limitsBody = z.object({
  requestsPerMinute: limitValue,
  tokensPerMinute: limitValue,
  concurrent: limitValue,
  priority: z.int().default(0),
});

/** What makes a good name is the keyring's to say. */
const newKeyBody = z.object({
  name: z.string(),
  label: z.string().nullish(),
  /** Epoch milliseconds; null or absent: the key never ends by itself. */
  expiresAtMs: z.int().nullish(),
  /** Shares no computed prefixes with other keys. */
  isolate: z.boolean().default(false),
  limits: limitsBody.optional(),
  /** The only aliases and models it may ask for; null or absent: all. */
  routes: z.array(z.string()).nullish(),
  /** Admin keys are not made here but by `reset-admin`, so that there is one way to lose the old ones. */
  kind: z.literal("inference").default("inference"),
});

/** A row as it leaves the box: exactly these fields, whatever the store keeps beside them. */
function shown(row: KeyRow): KeyRow {
  const { id, kind, name, label, tail, createdAtMs, lastUsedAtMs, revokedAtMs, expiresAtMs, isolate } = row;
  const { limits, routes } = row;
  return { id, kind, name, label, tail, createdAtMs, lastUsedAtMs, revokedAtMs, expiresAtMs, isolate, limits, routes };
}

export const keysResource: AdminResource = ({ deps, readBody }) => {
  const { keyring } = deps.access;
  return [
    {
      method: "GET",
      path: "/admin/keys",
      handle(_request, response) {
        sendJson(response, 200, { keys: keyring.list().map(shown) });
      },
    },
    {
      method: "POST",
      path: "/admin/keys",
      async handle(request, response) {
        const body = newKeyBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const { kind, name, label, expiresAtMs, isolate, limits, routes } = body.data;
        const { row, secret } = keyring.create({
          kind,
          name,
          label: label ?? null,
          expiresAtMs: expiresAtMs ?? null,
          isolate,
          ...(limits === undefined ? {} : { limits }),
          routes: routes ?? null,
        });
        sendJson(response, 201, { key: shown(row), secret });
      },
    },
    {
      method: "POST",
      path: "/admin/keys/reset-admin",
      handle(_request, response) {
        const { row, secret } = keyring.resetAdmin();
        sendJson(response, 200, { key: shown(row), secret });
      },
    },
    {
      method: "POST",
      path: "/admin/keys/:id/limits",
      async handle(request, response) {
        const body = limitsBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const id = Number(request.params.id);
        const row = Number.isSafeInteger(id) ? keyring.setLimits(id, body.data) : null;
        if (row === null) throw new Failure("not_found", "There is no such key.");
        sendJson(response, 200, { key: shown(row) });
      },
    },
    {
      method: "DELETE",
      path: "/admin/keys/:id",
      handle(request, response) {
        const id = Number(request.params.id);
        const row = Number.isSafeInteger(id) ? keyring.revoke(id) : null;
        if (row === null) throw new Failure("not_found", "There is no such key.");
        sendJson(response, 200, { key: shown(row) });
      },
    },
  ];
};

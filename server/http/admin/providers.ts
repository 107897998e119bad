/**
 * `/admin/providers`: who else is asked, with which keys, and whether that works. A key is taken in and never shown again; what is
 * listed has its last characters.
 */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const label = z.string().trim().min(1).max(100).nullish();
const weight = z.int().min(1).max(1000).default(1);

const newProviderBody = z.object({
  id: z.string(),
  /** An entry of `providers:`. */
  setting: z.record(z.string(), z.unknown()).default({}),
  key: z.string().nullish(),
  label,
  weight,
});

const newKeyBody = z.object({ key: z.string(), purpose: z.enum(["calls", "bills"]).default("calls"), label, weight });
/** Routes that are named in a refusal. */
const mostNamed = 5;
const testBody = z.object({ model: z.string().min(1).max(300).nullish() });

export const providersResource: AdminResource = ({ deps, readBody }) => {
  const { providers } = deps;

  /** Without it the next start would be refused: a route to nobody stops it. */
  function refuseWhereRoutesLead(id: string): void {
    const leading = deps.routing.routes().filter(({ groups }) => {
      return groups.some(({ targets }) => targets.some(({ target }) => target.startsWith(`${id}/`)));
    });
    if (leading.length === 0) return;
    const names = leading.map(({ alias }) => alias);
    const named = names.length > mostNamed ? `${names.slice(0, mostNamed).join(", ")} …` : names.join(", ");
    throw new Failure("invalid_request", `Routes lead to "${id}": ${named}.`, {
      why: "The box would not start any more with a route to a provider that is not there.",
      next: ["lanthorn route apply change.yaml"],
    });
  }

  return [
    {
      method: "GET",
      path: "/admin/providers",
      handle(_request, response) {
        sendJson(response, 200, { providers: providers.list() });
      },
    },
    {
      method: "POST",
      path: "/admin/providers",
      async handle(request, response) {
        const body = newProviderBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const { id, setting, key, label: name, weight: share } = body.data;
        providers.add({ id, setting });
        if (key != null) providers.addKey(id, { secret: key, label: name ?? null, weight: share });
        sendJson(response, 201, { provider: providers.list().find((one) => one.id === id) });
      },
    },
    {
      method: "DELETE",
      path: "/admin/providers/:id",
      handle(request, response) {
        const id = String(request.params.id);
        refuseWhereRoutesLead(id);
        sendJson(response, 200, { removed: providers.remove(id) });
      },
    },
    {
      method: "POST",
      path: "/admin/providers/:id/keys",
      async handle(request, response) {
        const body = newKeyBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const { key, purpose, label: name, weight: share } = body.data;
        const wish = { secret: key, purpose, label: name ?? null, weight: share };
        const row = providers.addKey(String(request.params.id), wish);
        sendJson(response, 201, { key: row });
      },
    },
    {
      method: "DELETE",
      path: "/admin/providers/:id/keys/:key",
      handle(request, response) {
        const number = Number(request.params.key);
        if (!Number.isSafeInteger(number)) throw new Failure("not_found", "There is no such key.");
        sendJson(response, 200, { key: providers.removeKey(String(request.params.id), number) });
      },
    },
    {
      method: "POST",
      path: "/admin/providers/:id/test",
      async handle(request, response) {
        const body = testBody.safeParse((await readBody(request, response)) ?? {});
        if (!body.success) throw fieldFailure(body.error);
        const leaving = new AbortController();
        response.once("close", () => leaving.abort());
        const test = await providers.test(String(request.params.id), body.data.model ?? null, leaving.signal);
        sendJson(response, 200, { test });
      },
    },
  ];
};

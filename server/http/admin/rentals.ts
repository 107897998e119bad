/**
 * `/admin/rentals`: what markets offer, what is rented there and what it costs, and the orders that change it. Reading spends nothing;
 * looking at offers and orphans contacts the markets. Every change of a lease is told on `/admin/events` as `lease`.
 */
import type { Request } from "express";
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { isDay } from "../../domain/day.ts";
import { Failure } from "../../domain/failure.ts";
import { burnGroups } from "../../domain/rental/burn-periods.ts";
import { type OfferFilter, rentKinds } from "../../domain/rental/market.ts";
import { numericAskFields, rentAsk, rentAskFields } from "../../rental/rent-ask.ts";
import type { RentalDesk } from "../../rental/rental-desk.ts";
import { sendJson } from "../send.ts";
import type { AdminParts, AdminResource, AdminRoute } from "./resource.ts";

const nanos = z.int().min(0);
const queryNumber = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,9})?$/, "must be a number")
  .transform(Number);

const offersQuery = z.object({
  market: z.string().max(60).optional(),
  gpu: z.string().max(200).optional(),
  gpuCount: queryNumber.pipe(z.int().min(1).max(64)).optional(),
  leastVramBytes: queryNumber.optional(),
  kind: z.enum(rentKinds).optional(),
  mostPerHourNanos: queryNumber.optional(),
  leastReliability: queryNumber.pipe(z.number().max(1)).optional(),
  region: z.string().max(40).optional(),
  diskBytes: queryNumber.optional(),
  mostDownloadPerGbNanos: queryNumber.optional(),
});

/** What was agreed to is stated: a price that rose in the meantime is not paid. */
const rentBody = z.strictObject({ ...rentAskFields, agreedPerHourNanos: nanos });
const day = z.string().refine(isDay, 'must be a day such as "2026-11-20"');
const billsQuery = z.object({ market: z.string().max(60).optional(), from: day, to: day });
const settleBody = z.strictObject({ market: z.string().max(60).nullable().default(null), from: day, to: day });
const pricesQuery = z.object({
  market: z.string().max(60).optional(),
  gpu: z.string().max(200).optional(),
  /** Epoch milliseconds; a week ago where it is left out. */
  from: queryNumber.optional(),
});
const weekMs = 7 * 86_400_000;
const burnQuery = z.object({
  by: z.enum(burnGroups).default("day"),
  from: z.string().max(40).optional(),
  to: z.string().max(40).optional(),
  lease: queryNumber.pipe(z.int().min(1)).optional(),
});
const reasonBody = z.object({ reason: z.string().trim().min(1).max(200).default("asked by hand") });
const bidBody = z.object({ perHourNanos: nanos });
const endBody = z.object({
  /** Null: all there are. */
  orphans: z
    .array(z.object({ market: z.string().max(60), instanceId: z.string().max(200) }))
    .max(1000)
    .nullable(),
});

export const rentalsResource: AdminResource = (parts) => {
  const { deps, readBody } = parts;
  const order = (action: "start" | "stop" | "destroy"): AdminRoute => ({
    method: "POST",
    path: `/admin/rentals/:id/${action}`,
    async handle(request, response) {
      const id = leaseId(request);
      const body = reasonBody.safeParse((await readBody(request, response)) ?? {});
      if (!body.success) throw fieldFailure(body.error);
      const lease = await deskOf(parts).leases[action](id, body.data.reason);
      sendJson(response, 200, { lease, atMs: deps.clock.now() });
    },
  });
  return [
    {
      method: "GET",
      path: "/admin/rentals",
      async handle(request, response) {
        const desk = deps.rentals ?? null;
        const ended = request.query.ended === "true";
        const leases = desk?.leases.list({ ended }) ?? [];
        const summary = desk?.summary() ?? null;
        const more = ended ? { steadiness: (await desk?.records.steadiness()) ?? [] } : {};
        sendJson(response, 200, { leases, summary, ...more, atMs: deps.clock.now() });
      },
    },
    {
      method: "POST",
      path: "/admin/rentals",
      async handle(request, response) {
        const body = rentBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const { agreedPerHourNanos, ...ask } = body.data;
        // Whoever asked may leave: what was begun is looked after all the same.
        const lease = await deskOf(parts).rent(ask, agreedPerHourNanos, new AbortController().signal);
        sendJson(response, 201, { lease, atMs: deps.clock.now() });
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/summary",
      handle(_request, response) {
        sendJson(response, 200, { summary: deps.rentals?.summary() ?? null });
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/offers",
      async handle(request, response) {
        const query = offersQuery.safeParse(request.query);
        if (!query.success) throw fieldFailure(query.error);
        const { market, ...asked } = query.data;
        const filter: OfferFilter = Object.fromEntries(
          Object.entries(asked).filter(([, value]) => value !== undefined),
        );
        const view = await deskOf(parts).offers(filter, market ?? null, leaving(response));
        sendJson(response, 200, { ...view, atMs: deps.clock.now() });
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/quote",
      async handle(request, response) {
        const ask = rentAsk.safeParse(withNumbers(request.query));
        if (!ask.success) throw fieldFailure(ask.error);
        const view = await deskOf(parts).quote(ask.data, leaving(response));
        sendJson(response, 200, { ...view, atMs: deps.clock.now() });
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/bills",
      async handle(request, response) {
        const query = billsQuery.safeParse(request.query);
        if (!query.success) throw fieldFailure(query.error);
        const { market, from, to } = query.data;
        sendJson(response, 200, await deskOf(parts).bills({ market: market ?? null, from, to }, leaving(response)));
      },
    },
    {
      method: "POST",
      path: "/admin/rentals/bills/settle",
      async handle(request, response) {
        const body = settleBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        sendJson(response, 200, await deskOf(parts).settleBills(body.data, leaving(response)));
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/prices",
      handle(request, response) {
        const query = pricesQuery.safeParse(request.query);
        if (!query.success) throw fieldFailure(query.error);
        const { market = null, gpu = null, from } = query.data;
        const atMs = deps.clock.now();
        const series = deskOf(parts).prices({ market, gpu, sinceMs: from ?? atMs - weekMs });
        sendJson(response, 200, { series, atMs });
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/burn",
      async handle(request, response) {
        const query = burnQuery.safeParse(request.query);
        if (!query.success) throw fieldFailure(query.error);
        const { by, from = null, to = null, lease = null } = query.data;
        sendJson(response, 200, await deskOf(parts).records.burn({ by, from, to, lease }));
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/orphans",
      async handle(_request, response) {
        sendJson(response, 200, await deskOf(parts).orphans(leaving(response)));
      },
    },
    {
      method: "POST",
      path: "/admin/rentals/orphans/end",
      async handle(request, response) {
        const body = endBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        sendJson(response, 200, await deskOf(parts).endOrphans(body.data.orphans, new AbortController().signal));
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/:id",
      async handle(request, response) {
        const { leases, records } = deskOf(parts);
        const lease = leases.show(leaseId(request));
        sendJson(response, 200, { lease, history: await records.history(lease.id), atMs: deps.clock.now() });
      },
    },
    {
      method: "GET",
      path: "/admin/rentals/:id/bid",
      async handle(request, response) {
        const view = await deskOf(parts).bid(leaseId(request), leaving(response));
        sendJson(response, 200, { ...view, atMs: deps.clock.now() });
      },
    },
    {
      method: "POST",
      path: "/admin/rentals/:id/bid",
      async handle(request, response) {
        const body = bidBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const lease = await deskOf(parts).leases.changeBid(leaseId(request), body.data.perHourNanos);
        sendJson(response, 200, { lease, atMs: deps.clock.now() });
      },
    },
    order("start"),
    order("stop"),
    order("destroy"),
  ];
};

/** Throws `not_found` where nothing can be rented. */
function deskOf({ deps }: AdminParts): RentalDesk {
  if (deps.rentals != null) return deps.rentals;
  throw new Failure("not_found", "This box rents nothing: no market is set up.", {
    why: "Below markets: of lanthorn.yaml is none.",
    next: ["lanthorn config show markets"],
  });
}

function leaseId(request: Request): number {
  const text = String(request.params.id);
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new Failure("not_found", `There is no lease "${text}".`, { next: ["lanthorn rental list"] });
}

function leaving(response: Parameters<typeof sendJson>[0]): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Failure("cancelled", "Whoever asked has left.")));
  return gone.signal;
}

function withNumbers(query: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const isNumber = numericAskFields.has(name) && typeof value === "string" && /^\d{1,15}(\.\d{1,9})?$/.test(value);
      return [name, isNumber ? Number(value) : value];
    }),
  );
}

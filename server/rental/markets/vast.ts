/**
 * Vast.ai: machines of many hosts, on demand or at a bid. Source: docs.vast.ai (charges: billing/show-charges) and the source of its command-line tool, 2026-08.
 * Runs in the server, and on a rented machine with the key that the market gives inside the instance.
 *
 * `price` in a create is the bid; without it the dear kind is bought, so a bid always states it and on-demand never has it.
 */
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { startOfUtcDay, utcDayOf } from "../../domain/day.ts";
import { attosOf } from "../../domain/reconcile/exact-amount.ts";
import type {
  InstanceState,
  OfferFilter,
  RejectedOffer,
  RentalBillLine,
  RentalInstance,
  RentalOffer,
  RentalOrder,
  RentalRates,
} from "../../domain/rental/market.ts";
import type { Market, MarketDeed } from "../market.ts";
import {
  gpuKey,
  gpuTitle,
  hourlyNanos,
  numberOf,
  storagePerHourNanos,
  trafficPerGbNanos,
  usdNumber,
} from "./amounts.ts";
import { callMarket, type MarketAnswer, type MarketWire } from "./call.ts";
import type { MarketType } from "./market-type.ts";

const text = z.union([z.string(), z.number().transform(String), z.null()]).optional();
const offer = z.looseObject({
  id: text,
  gpu_name: text,
  num_gpus: text,
  gpu_ram: text,
  gpu_total_ram: text,
  dph_base: text,
  min_bid: text,
  storage_cost: text,
  inet_up_cost: text,
  inet_down_cost: text,
  reliability2: text,
  verification: text,
  geolocation: text,
  duration: text,
});
const offerPage = z.object({ offers: z.array(z.unknown()).max(100_000) });
const instance = z.looseObject({
  id: text,
  label: text,
  actual_status: text,
  intended_status: text,
  cur_state: text,
  next_state: text,
  status_msg: text,
  is_bid: z.boolean().nullish(),
  min_bid: text,
  bid_price: text,
  gpu_name: text,
  num_gpus: text,
  dph_base: text,
  dph_total: text,
  storage_cost: text,
  disk_space: text,
  inet_up_cost: text,
  inet_down_cost: text,
  public_ipaddr: text,
  ports: z.record(z.string(), z.array(z.looseObject({ HostPort: text })).nullable()).nullish(),
  geolocation: text,
  start_date: text,
});
const instancePage = z.object({ instances: z.array(z.unknown()).max(10_000) });
const created = z.object({ success: z.literal(true), new_contract: z.union([z.string(), z.number()]) });
const refused = z.looseObject({ success: z.literal(false), error: text, msg: text });
const charge = z.looseObject({
  start: text,
  source: text,
  items: z
    .array(z.looseObject({ type: text, amount: text }))
    .max(1_000)
    .nullish(),
  amount: text,
});
const chargePage = z.looseObject({ results: z.array(charge).max(10_000), next_token: z.string().nullish() });
/** What an item of a day's charge is for. */
const chargeParts = Object.freeze({ gpu: "gpu", disk: "storage", bwd: "traffic", bwu: "traffic" } as const);
const mostChargePages = 200;

/** GPUs of one machine are told in MB of 10^6 bytes. */
const bytesPerMb = 1_000_000;
const servedPort = 4747;

function vastMarket(wire: MarketWire, id: string): Market {
  const { title } = wire;

  async function deed(
    method: "PUT" | "DELETE",
    instanceId: string,
    body: object,
    signal: AbortSignal,
  ): Promise<MarketDeed> {
    const answer = await callMarket(
      wire,
      { method, path: `/instances/${encodeURIComponent(instanceId)}/`, body },
      signal,
    );
    if (answer.status === 404) return "gone";
    if (answer.status === 409) return "again";
    const no = refused.safeParse(answer.body);
    // `success: false` under 200 is how it says that it has not done it.
    return no.success ? "again" : "done";
  }

  return {
    id,
    type: "vast",
    title,
    traits: { bids: true, stops: true, volumes: false, offersEveryMs: 60_000, instancesEveryMs: 3_000 },
    async offers(filter, signal) {
      const answer = await callMarket(wire, { method: "POST", path: "/bundles/", body: searchOf(filter) }, signal);
      const page = parsed(offerPage, answer, title);
      const offers: RentalOffer[] = [];
      const rejected: RejectedOffer[] = [];
      for (const raw of page.offers) {
        const one = readOffer(raw, filter, id);
        if ("reason" in one) rejected.push(one);
        else if (wanted(one, filter)) offers.push(one);
      }
      return { offers, rejected, takenAtMs: answer.atMs };
    },
    async instances(signal) {
      const answer = await callMarket(wire, { method: "GET", path: "/instances/" }, signal);
      const page = parsed(instancePage, answer, title);
      const instances = page.instances.map((raw) => readInstance(instance.parse(raw), id));
      return { instances, takenAtMs: answer.atMs, skewMs: answer.skewMs };
    },
    async create(order, signal) {
      const path = `/asks/${encodeURIComponent(order.offerId)}/`;
      const answer = await callMarket(wire, { method: "PUT", path, body: createBody(order) }, signal);
      const made = created.safeParse(answer.body);
      if (made.success) return { instanceId: String(made.data.new_contract) };
      const no = refused.safeParse(answer.body);
      if (answer.status === 404 || answer.status === 409 || no.success) {
        const words = no.success ? `: ${no.data.msg ?? no.data.error ?? "no reason given"}` : "";
        throw new Failure("not_found", `${title} has not got this offer any more${words}.`, {
          next: ["lanthorn rental offers"],
        });
      }
      throw new Failure("upstream_failed", `${title} does not say which instance it has made.`);
    },
    start: (instanceId, signal) => deed("PUT", instanceId, { state: "running" }, signal),
    stop: (instanceId, signal) => deed("PUT", instanceId, { state: "stopped" }, signal),
    destroy: (instanceId, signal) => deed("DELETE", instanceId, {}, signal),
    async changeBid(instanceId, perHourNanos, signal) {
      const body = { client_id: "me", price: usdNumber(perHourNanos) };
      const path = `/instances/bid_price/${encodeURIComponent(instanceId)}/`;
      const answer = await callMarket(wire, { method: "PUT", path, body }, signal);
      if (answer.status === 404) throw new Failure("not_found", `${title} has no instance "${instanceId}".`);
      if (refused.safeParse(answer.body).success)
        throw new Failure("upstream_invalid_request", `${title} does not take this bid.`);
    },
    async bills(from, until, signal) {
      const days = { gte: startOfUtcDay(from) / 1000, lte: startOfUtcDay(until) / 1000 - 1 };
      const filters = JSON.stringify({ day: days, type: { in: ["instance"] } });
      const lines: RentalBillLine[] = [];
      let token: string | null = null;
      for (let pages = 0; pages < mostChargePages; pages += 1) {
        const query = new URLSearchParams({
          format: "table",
          latest_first: "false",
          limit: "500",
          select_filters: filters,
        });
        if (token !== null) query.set("after_token", token);
        const page = parsed(
          chargePage,
          await callMarket(wire, { method: "GET", path: `/charges/?${query}` }, signal),
          title,
        );
        for (const row of page.results) lines.push(...linesOf(row));
        token = page.next_token ?? null;
        if (token === null) return lines;
      }
      throw new Failure("upstream_failed", `The pages of the bill of ${title} do not come to an end.`);
    },
  };
}

/** A row is one instance on one day (UTC), its items by what they are for; amounts are rounded to a tenth of a cent. */
function linesOf({ start, source, items, amount }: z.output<typeof charge>): readonly RentalBillLine[] {
  const instanceId = /^instance-(\d+)$/.exec(source ?? "")?.[1];
  const startS = numberOf(start);
  if (instanceId === undefined || startS === null) return [];
  const day = utcDayOf(startS * 1000);
  const parts = (items ?? []).map(({ type, amount: part }): RentalBillLine => {
    const what = chargeParts[(type ?? "") as keyof typeof chargeParts] ?? "other";
    return { day, instanceId, part: what, attos: attosOf(part ?? "none", "usd") };
  });
  return parts.length > 0 ? parts : [{ day, instanceId, part: "all", attos: attosOf(amount ?? "none", "usd") }];
}

export const vast: MarketType = Object.freeze<MarketType>({
  type: "vast",
  title: "Vast.ai",
  baseUrl: "https://console.vast.ai/api/v0",
  keyVariables: ["VAST_API_KEY"],
  open: vastMarket,
});

function parsed<Shape>(shape: z.ZodType<Shape>, { body }: MarketAnswer, title: string): Shape {
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  throw new Failure("upstream_failed", `${title} answers in another shape than its documentation says.`, {
    cause: read.error,
  });
}

function searchOf({ gpu, gpuCount, kind, leastReliability, region, diskBytes }: OfferFilter): object {
  return {
    rentable: { eq: true },
    ...(gpu === undefined ? {} : { gpu_name: { eq: gpuTitle(gpu) } }),
    ...(gpuCount === undefined ? {} : { num_gpus: { eq: gpuCount } }),
    ...(leastReliability === undefined ? {} : { reliability2: { gte: leastReliability } }),
    ...(region === undefined ? {} : { geolocation: { in: [region] } }),
    type: kind === "bid" ? "bid" : "on-demand",
    order: [["dph_total", "asc"]],
    limit: 200,
    allocated_storage: Math.ceil((diskBytes ?? 10e9) / 1e9),
  };
}

function readOffer(raw: unknown, filter: OfferFilter, market: string): RentalOffer | RejectedOffer {
  const read = offer.safeParse(raw);
  if (!read.success) return { offerId: "?", reason: "it has another shape" };
  const data = read.data;
  const offerId = data.id ?? "?";
  const isBid = filter.kind === "bid";
  const bid = isBid ? hourlyNanos(data.min_bid) : null;
  const gpuPerHour = isBid ? bid : hourlyNanos(data.dph_base);
  if (gpuPerHour === null) return { offerId, reason: `its price is none: ${isBid ? data.min_bid : data.dph_base}` };
  const rates = ratesOf(gpuPerHour, data, filter.diskBytes ?? 10e9);
  if (rates === null) return { offerId, reason: "the price of its disk or traffic is none" };
  const gpuCount = numberOf(data.num_gpus);
  const vram = numberOf(data.gpu_total_ram) ?? (numberOf(data.gpu_ram) ?? Number.NaN) * (gpuCount ?? 1);
  if (gpuCount === null || !Number.isFinite(vram) || vram <= 0) return { offerId, reason: "its GPUs are not told" };
  const reliability = numberOf(data.reliability2);
  const durationS = numberOf(data.duration);
  return {
    ...{ market, offerId, kind: isBid ? "bid" : "on-demand", gpu: gpuTitle(data.gpu_name ?? "?"), gpuCount, rates },
    vramBytes: vram * bytesPerMb,
    leastBidPerHourNanos: bid,
    reliability: reliability === null || reliability < 0 || reliability > 1 ? null : reliability,
    region: data.geolocation ?? null,
    verified: data.verification === undefined || data.verification === null ? null : data.verification === "verified",
    longestMs: durationS === null ? null : durationS * 1000,
    availability: null,
  };
}

function ratesOf(
  gpuPerHourNanos: number,
  prices: Pick<z.output<typeof offer>, "storage_cost" | "inet_up_cost" | "inet_down_cost">,
  diskBytes: number,
): RentalRates | null {
  const storage = storagePerHourNanos(prices.storage_cost, diskBytes);
  const upload = trafficPerGbNanos(prices.inet_up_cost);
  const download = trafficPerGbNanos(prices.inet_down_cost);
  if (storage === null || upload === null || download === null) return null;
  return {
    ...{ gpuPerHourNanos, storagePerHourNanos: storage, stoppedStoragePerHourNanos: storage },
    ...{ uploadPerGbNanos: upload, downloadPerGbNanos: download },
  };
}

/** What the market itself did not filter, or filtered by another spelling. */
function wanted(one: RentalOffer, filter: OfferFilter): boolean {
  const { gpu, leastVramBytes, mostPerHourNanos, mostDownloadPerGbNanos, gpuCount, leastReliability } = filter;
  if (gpu !== undefined && gpuKey(gpu) !== gpuKey(one.gpu)) return false;
  if (gpuCount !== undefined && one.gpuCount !== gpuCount) return false;
  if (leastVramBytes !== undefined && one.vramBytes < leastVramBytes) return false;
  if (leastReliability !== undefined && (one.reliability ?? 0) < leastReliability) return false;
  if (mostDownloadPerGbNanos !== undefined && one.rates.downloadPerGbNanos > mostDownloadPerGbNanos) return false;
  return (
    mostPerHourNanos === undefined || one.rates.gpuPerHourNanos + one.rates.storagePerHourNanos <= mostPerHourNanos
  );
}

const states: Readonly<Record<string, InstanceState>> = Object.freeze({
  created: "scheduling",
  scheduling: "scheduling",
  loading: "loading",
  rebooting: "loading",
  running: "running",
  frozen: "frozen",
  stopped: "stopped",
  exited: "exited",
  offline: "offline",
});

function readInstance(data: z.output<typeof instance>, market: string): RentalInstance {
  const actual = data.actual_status ?? data.cur_state ?? null;
  const gpuPerHour = hourlyNanos(data.is_bid === true ? (data.bid_price ?? data.dph_base) : data.dph_base);
  const diskGb = numberOf(data.disk_space);
  const rates = gpuPerHour === null || diskGb === null ? null : ratesOf(gpuPerHour, data, diskGb * 1e9);
  const hostPort = data.ports?.[`${servedPort}/tcp`]?.[0]?.HostPort ?? null;
  const address = data.public_ipaddr?.trim() ?? "";
  const intended = data.intended_status ?? null;
  const started = numberOf(data.start_date);
  return {
    market,
    instanceId: data.id ?? "?",
    label: data.label ?? null,
    state: actual === null ? "scheduling" : (states[actual] ?? "unknown"),
    words: [actual ?? "no status", data.status_msg ?? ""]
      .filter((word) => word !== "")
      .join(": ")
      .slice(0, 300),
    meantToRun: intended === null ? null : intended === "running",
    kind: data.is_bid === true ? "bid" : "on-demand",
    bidPerHourNanos: data.is_bid === true ? hourlyNanos(data.bid_price) : null,
    gpu: gpuTitle(data.gpu_name ?? "?"),
    gpuCount: numberOf(data.num_gpus) ?? 1,
    rates,
    address: address === "" || hostPort === null ? null : `http://${address}:${hostPort}`,
    region: data.geolocation ?? null,
    createdAtMs: started === null ? null : Math.round(started * 1000),
  };
}

function createBody(order: RentalOrder): object {
  if ((order.kind === "bid") !== (order.bidPerHourNanos !== null)) {
    throw new Failure("invalid_request", "A bid states its price, and what is no bid has none.", {
      param: "bidUsdPerHour",
    });
  }
  return {
    client_id: "me",
    image: order.image,
    disk: Math.ceil(order.diskBytes / 1e9),
    label: order.label,
    runtype: "args",
    target_state: "running",
    // Gone is gone: without this the market queues an order for a machine that others have.
    cancel_unavail: true,
    env: { ...order.environment, [`-p ${order.port}:${order.port}`]: "1" },
    ...(order.onStart === "" ? {} : { onstart: order.onStart }),
    ...(order.bidPerHourNanos === null ? {} : { price: usdNumber(order.bidPerHourNanos) }),
  };
}

/**
 * RunPod by its REST API v2: prices, availability, pods and bills. It has no bids any more: nothing is interruptible. Source: its OpenAPI
 * document, 2026-08; storage by its price page ($0.10 for a GB and month while a pod runs, $0.20 while it is stopped). Runs in the
 * server, and inside a pod with the key that is given there.
 */
import { z } from "zod";
import { utcDayOf, startOfUtcDay } from "../../domain/day.ts";
import { Failure } from "../../domain/failure.ts";
import { attosOf } from "../../domain/reconcile/exact-amount.ts";
import type {
  InstanceState,
  OfferFilter,
  RejectedOffer,
  RentalInstance,
  RentalOffer,
  RentalRates,
} from "../../domain/rental/market.ts";
import type { Market, MarketDeed } from "../market.ts";
import { gpuKey, gpuTitle, hourlyNanos, numberOf, storagePerHourNanos } from "./amounts.ts";
import { callMarket, type MarketWire } from "./call.ts";
import type { MarketType } from "./market-type.ts";

const text = z.union([z.string(), z.number().transform(String), z.null()]).optional();
const gpuPage = z.object({
  gpus: z
    .array(
      z.looseObject({
        id: z.string(),
        name: text,
        memory: text,
        price: z.looseObject({ secure: text, community: text }).nullish(),
        maxCount: text,
        availability: text,
      }),
    )
    .max(10_000),
});
const pod = z.looseObject({
  id: z.string(),
  name: text,
  status: text,
  cost: text,
  gpu: z.looseObject({ id: text, count: text }).nullish(),
  mounts: z.looseObject({ persistent: z.looseObject({ size: text }).nullish() }).nullish(),
  dataCenterId: text,
  createdAt: text,
});
const podPage = z.object({ pods: z.array(pod).max(10_000) });
const billPage = z.object({
  records: z
    .array(
      z.looseObject({
        podId: z.string(),
        startTime: z.string(),
        totalAmount: text,
        gpuAmount: text,
        diskAmount: text,
        cpuAmount: text,
      }),
    )
    .max(100_000),
});

const bytesPerGb = 1e9;
const runningGbMonth = "0.10";
const stoppedGbMonth = "0.20";
const servedPort = 4747;
/** The two clouds of its offers: the id of one is `<gpu>@SECURE`. */
const clouds = Object.freeze([
  { cloud: "SECURE", field: "secure" },
  { cloud: "COMMUNITY", field: "community" },
] as const);

function runpodMarket(wire: MarketWire, id: string): Market {
  const { title } = wire;

  async function act(instanceId: string, action: "start" | "stop", signal: AbortSignal): Promise<MarketDeed> {
    const path = `/pods/${encodeURIComponent(instanceId)}/action`;
    const { status } = await callMarket(wire, { method: "POST", path, body: { action } }, signal);
    if (status === 404) return "gone";
    // A transition that it does not make now: it is under way, or done already.
    return status === 409 ? "again" : "done";
  }

  return {
    id,
    type: "runpod",
    title,
    traits: { bids: false, stops: true, volumes: true, offersEveryMs: 60_000, instancesEveryMs: 3_000 },
    async offers(filter, signal) {
      const answer = await callMarket(wire, { method: "GET", path: "/catalog/gpus?include=AVAILABILITY" }, signal);
      const page = parsed(gpuPage, answer.body, title);
      const all = page.gpus.flatMap((gpu) =>
        clouds.map(({ cloud, field }) => offerOf(gpu, cloud, gpu.price?.[field], filter, id)),
      );
      const rejected = all.filter((one): one is RejectedOffer => one !== null && "reason" in one);
      const offers = all.filter((one): one is RentalOffer => one !== null && !("reason" in one) && wanted(one, filter));
      return { offers, rejected, takenAtMs: answer.atMs };
    },
    async instances(signal) {
      const answer = await callMarket(wire, { method: "GET", path: "/pods" }, signal);
      const { pods } = parsed(podPage, answer.body, title);
      const instances = pods.map((one) => instanceOf(one, id, wire.baseUrl));
      return { instances, takenAtMs: answer.atMs, skewMs: answer.skewMs };
    },
    async create(order, signal) {
      if (order.kind === "bid" || order.bidPerHourNanos !== null) throw noBids(title);
      const [gpuId = "", cloud = "SECURE"] = order.offerId.split("@");
      const size = Math.ceil(order.diskBytes / bytesPerGb);
      const body = {
        name: order.label,
        image: order.image,
        gpu: { id: gpuId, count: order.gpuCount },
        cloud,
        env: order.environment,
        ports: [`${order.port}/http`],
        mounts:
          order.volumeId === null
            ? { persistent: { size, path: "/workspace" } }
            : { network: { id: order.volumeId, path: "/workspace" } },
        ...(order.onStart === "" ? {} : { startCommand: ["bash", "-c", order.onStart] }),
      };
      const { status, body: made } = await callMarket(wire, { method: "POST", path: "/pods", body }, signal);
      if (status === 404 || status === 409) {
        throw new Failure("not_found", `${title} has no such machine free now.`, { next: ["lanthorn rental offers"] });
      }
      return { instanceId: parsed(z.looseObject({ id: z.string() }), made, title).id };
    },
    start: (instanceId, signal) => act(instanceId, "start", signal),
    stop: (instanceId, signal) => act(instanceId, "stop", signal),
    async destroy(instanceId, signal) {
      const call = { method: "DELETE" as const, path: `/pods/${encodeURIComponent(instanceId)}` };
      const { status } = await callMarket(wire, call, signal);
      return status === 404 ? "gone" : status === 409 ? "again" : "done";
    },
    changeBid: () => Promise.reject(noBids(title)),
    async bills(from, until, signal) {
      const query = new URLSearchParams({
        startTime: new Date(startOfUtcDay(from)).toISOString(),
        endTime: new Date(startOfUtcDay(until)).toISOString(),
        bucketSize: "day",
      });
      const { body } = await callMarket(wire, { method: "GET", path: `/billing/pods?${query}` }, signal);
      return parsed(billPage, body, title)
        .records.map(({ podId, startTime, totalAmount }) => ({
          ...{ day: utcDayOf(Date.parse(startTime)), instanceId: podId, part: "all" as const },
          attos: attosOf(totalAmount ?? "none", "usd"),
        }))
        .filter(({ day }) => day >= from && day < until);
    },
  };
}

export const runpod: MarketType = Object.freeze<MarketType>({
  type: "runpod",
  title: "RunPod",
  baseUrl: "https://api.runpod.io/v2",
  keyVariables: ["RUNPOD_API_KEY"],
  open: runpodMarket,
});

function noBids(title: string): Failure {
  return new Failure("unsupported", `${title} has no bids any more: its machines are on demand.`, { param: "kind" });
}

function parsed<Shape>(shape: z.ZodType<Shape>, body: unknown, title: string): Shape {
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  throw new Failure("upstream_failed", `${title} answers in another shape than its documentation says.`, {
    cause: read.error,
  });
}

const availabilities = Object.freeze({ LOW: "low", MEDIUM: "medium", HIGH: "high" } as const);

/** Null: it is not for sale there, or a bid was asked for. */
function offerOf(
  gpu: z.output<typeof gpuPage>["gpus"][number],
  cloud: string,
  price: string | null | undefined,
  filter: OfferFilter,
  market: string,
): RentalOffer | RejectedOffer | null {
  if (price === undefined || price === null || filter.kind === "bid" || gpu.availability === "NONE") return null;
  const count = filter.gpuCount ?? 1;
  const offerId = `${gpu.id}@${cloud}`;
  const each = hourlyNanos(price);
  if (each === null) return { offerId, reason: `its price is none: ${price}` };
  const memoryGb = numberOf(gpu.memory);
  if (memoryGb === null || memoryGb <= 0) return { offerId, reason: "its memory is not told" };
  if ((numberOf(gpu.maxCount) ?? 1) < count) return null;
  const availability = availabilities[(gpu.availability ?? "") as keyof typeof availabilities] ?? null;
  return {
    ...{ market, offerId, kind: "on-demand", gpu: gpuTitle(gpu.name ?? gpu.id), gpuCount: count, availability },
    vramBytes: memoryGb * bytesPerGb * count,
    rates: ratesOf(each * count, filter.diskBytes ?? 10e9),
    leastBidPerHourNanos: null,
    reliability: null,
    region: null,
    verified: cloud === "SECURE",
    longestMs: null,
  };
}

function ratesOf(gpuPerHourNanos: number, diskBytes: number): RentalRates {
  return {
    gpuPerHourNanos,
    storagePerHourNanos: storagePerHourNanos(runningGbMonth, diskBytes) ?? 0,
    stoppedStoragePerHourNanos: storagePerHourNanos(stoppedGbMonth, diskBytes) ?? 0,
    uploadPerGbNanos: 0,
    downloadPerGbNanos: 0,
  };
}

function wanted(one: RentalOffer, { gpu, leastVramBytes, mostPerHourNanos }: OfferFilter): boolean {
  if (gpu !== undefined && gpuKey(gpu) !== gpuKey(one.gpu)) return false;
  if (leastVramBytes !== undefined && one.vramBytes < leastVramBytes) return false;
  return (
    mostPerHourNanos === undefined || one.rates.gpuPerHourNanos + one.rates.storagePerHourNanos <= mostPerHourNanos
  );
}

const states: Readonly<Record<string, InstanceState>> = Object.freeze({
  PROVISIONING: "scheduling",
  STARTING: "loading",
  RUNNING: "running",
  EXITED: "stopped",
  ERROR: "exited",
  TERMINATED: "gone",
});

function instanceOf(one: z.output<typeof pod>, market: string, baseUrl: string): RentalInstance {
  const status = one.status ?? "";
  const state = states[status] ?? "unknown";
  const cost = hourlyNanos(one.cost, true);
  const sizeGb = numberOf(one.mounts?.persistent?.size) ?? 0;
  const created = Date.parse(one.createdAt ?? "");
  return {
    market,
    instanceId: one.id,
    label: one.name ?? null,
    state,
    words: status,
    meantToRun: null,
    kind: "on-demand",
    bidPerHourNanos: null,
    gpu: gpuTitle(one.gpu?.id ?? "?"),
    gpuCount: numberOf(one.gpu?.count) ?? 1,
    // Of a stopped pod it says 0, which is not what it costs when it runs.
    rates: cost === null || cost === 0 ? null : ratesOf(cost, sizeGb * bytesPerGb),
    address: state === "running" ? publicAddress(one.id, baseUrl) : null,
    region: one.dataCenterId ?? null,
    createdAtMs: Number.isNaN(created) ? null : created,
  };
}

/** Its proxy's name for a port; where the API is another address, so is the proxy: `/proxy/<pod>-<port>` there. */
function publicAddress(podId: string, baseUrl: string): string {
  if (baseUrl === runpod.baseUrl) return `https://${podId}-${servedPort}.proxy.runpod.net`;
  return `${new URL(baseUrl).origin}/proxy/${podId}-${servedPort}`;
}

/**
 * RunPod by its REST API v2: prices, availability, pods and bills. It has no bids any more: nothing is interruptible. Source: its OpenAPI
 * document in runpod/docs, 2026-08, which refuses bodies with a field that it does not know; storage by its price page ($0.10 for a GB
 * and month of a running pod, $0.20 for the persistent part of a stopped one). Runs in the server, and inside a pod with the key
 * that is given there.
 */
import { gpuTitle } from "../../domain/rental/gpu-name.ts";
import { z } from "zod";
import { utcDayOf, startOfUtcDay } from "../../domain/day.ts";
import { Failure } from "../../domain/failure.ts";
import { type Attos, attosOf } from "../../domain/reconcile/exact-amount.ts";
import type {
  InstanceState,
  RejectedOffer,
  RentalBillLine,
  RentalInstance,
  RentalOffer,
  RentalOrder,
} from "../../domain/rental/market.ts";
import type { Market, MarketDeed } from "../market.ts";
import { hourlyNanos, numberOf } from "./amounts.ts";
import { callMarket, type MarketWire, readAs, wireText as text } from "./call.ts";
import type { MarketType } from "./market-type.ts";
import {
  bytesPerGb,
  catalogPath,
  clouds,
  containerGb,
  gpuType,
  leastPersistentGb,
  offersOf,
  ratesOf,
  unreadable,
} from "./runpod-offers.ts";
import { isWanted } from "./wanted.ts";

const gpuPage = z.object({ gpus: z.array(z.unknown()).max(10_000) });
const pod = z.looseObject({
  id: z.string(),
  name: text,
  status: text,
  cost: text,
  disk: text,
  gpu: z.looseObject({ id: text, count: text }).nullish(),
  mounts: z.looseObject({ persistent: z.looseObject({ size: text }).nullish() }).nullish(),
  dataCenterId: text,
  createdAt: text,
});
const problem = z.looseObject({ detail: text, title: text });
const podPage = z.object({ pods: z.array(pod).max(10_000) });
const billPage = z.object({
  records: z
    .array(
      z.looseObject({
        podId: z.string(),
        startTime: z.iso.datetime({ offset: true }),
        totalAmount: text,
        gpuAmount: text,
        diskAmount: text,
        cpuAmount: text,
      }),
    )
    .max(100_000),
});

const servedPort = 4747;
/** Where the image keeps what is to last, unless the order says otherwise. */
const dataFolder = "/data";
/** Nothing was made: it says 400 for "no capacity" too, and a rule that is broken is in its words. */
const nothingFree = Object.freeze([400, 404, 409]);

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
    traits: {
      bids: false,
      stops: true,
      volumes: true,
      billsAllButStopped: true,
      offersEveryMs: 60_000,
      instancesEveryMs: 3_000,
    },
    async offers(filter, signal) {
      const offers: RentalOffer[] = [];
      const rejected: RejectedOffer[] = [];
      let takenAtMs = Number.POSITIVE_INFINITY;
      for (const { cloud, field } of filter.kind === "bid" ? [] : clouds) {
        const answer = await callMarket(wire, { method: "GET", path: catalogPath(cloud, filter) }, signal);
        takenAtMs = Math.min(takenAtMs, answer.atMs);
        for (const raw of readAs(gpuPage, answer.body, title).gpus) {
          const read = gpuType.safeParse(raw);
          const found = read.success ? offersOf(read.data, { cloud, field, filter, market: id }) : [unreadable(raw)];
          for (const one of found) {
            if ("reason" in one) rejected.push(one);
            else if (isWanted(one, filter)) offers.push(one);
          }
        }
      }
      return { offers, rejected, takenAtMs: Number.isFinite(takenAtMs) ? takenAtMs : wire.clock.now() };
    },
    async instances(signal) {
      const answer = await callMarket(wire, { method: "GET", path: "/pods" }, signal);
      const { pods } = readAs(podPage, answer.body, title);
      const instances = pods.map((one) => instanceOf(one, id, wire.baseUrl));
      return { instances, takenAtMs: answer.atMs, skewMs: answer.skewMs };
    },
    async create(order, signal) {
      if (order.kind === "bid" || order.bidPerHourNanos !== null) throw noBids(title);
      const call = { method: "POST" as const, path: "/pods", body: podBody(order), heard: nothingFree };
      const { status, body: made } = await callMarket(wire, call, signal);
      if (nothingFree.includes(status)) {
        const said = problem.safeParse(made).data;
        const words = said?.detail ?? said?.title ?? `status ${status}`;
        throw new Failure("not_found", `${title} has no such machine free now: ${words.slice(0, 200)}.`, {
          next: ["lanthorn rental offers"],
        });
      }
      return { instanceId: readAs(z.looseObject({ id: z.string() }), made, title).id };
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
      return readAs(billPage, body, title)
        .records.flatMap((record) => linesOf(record))
        .filter(({ day }) => day >= from && day < until);
    },
  };
}

/** By what it is for, where the parts are the whole; else the whole. */
function linesOf(record: z.output<typeof billPage>["records"][number]): readonly RentalBillLine[] {
  const { podId: instanceId, startTime, totalAmount, gpuAmount, diskAmount, cpuAmount } = record;
  const day = utcDayOf(Date.parse(startTime));
  const total = attosOf(totalAmount ?? "none", "usd");
  const parts = (
    [
      ["gpu", gpuAmount],
      ["storage", diskAmount],
      ["other", cpuAmount],
    ] as const
  ).map(([part, amount]): RentalBillLine => ({ day, instanceId, part, attos: attosOf(amount ?? "0", "usd") }));
  const sum = parts.reduce<Attos | null>((so, { attos }) => (so === null || attos === null ? null : so + attos), 0n);
  if (total !== null && sum === total) return parts.filter(({ attos }) => attos !== 0n);
  return [{ day, instanceId, part: "all", attos: total }];
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

function podBody(order: RentalOrder): object {
  const [gpuId = "", cloud = "SECURE", dataCenter] = order.offerId.split("@");
  const path = order.environment.LANTHORN_HOME ?? dataFolder;
  const size = Math.max(leastPersistentGb, Math.ceil(order.diskBytes / bytesPerGb));
  return {
    name: order.label,
    image: order.image,
    gpu: { id: gpuId, count: order.gpuCount },
    cloud,
    env: order.environment,
    ports: [`${order.port}/http`],
    disk: containerGb,
    mounts:
      order.volumeId === null ? { persistent: { size, path } } : { network: [{ volumeId: order.volumeId, path }] },
    ...(dataCenter === undefined ? {} : { dataCenterIds: [dataCenter] }),
    // Arguments of the image's entry point: it has no field for another one.
    ...(order.onStart === "" ? {} : { args: `bash -c '${order.onStart.replaceAll("'", `'\\''`)}'` }),
  };
}

const states: Readonly<Record<string, InstanceState>> = Object.freeze({
  PROVISIONING: "scheduling",
  STARTING: "loading",
  RUNNING: "running",
  EXITED: "stopped",
  // Only EXITED and TERMINATED are said to cost nothing: an exited instance counts as running.
  ERROR: "exited",
  TERMINATED: "gone",
});

function instanceOf(one: z.output<typeof pod>, market: string, baseUrl: string): RentalInstance {
  const status = one.status ?? "";
  const state = states[status] ?? "unknown";
  const cost = hourlyNanos(one.cost, true);
  const sizeGb = numberOf(one.mounts?.persistent?.size) ?? 0;
  const diskGb = numberOf(one.disk) ?? containerGb;
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
    rates: cost === null || cost === 0 ? null : ratesOf(cost, sizeGb * bytesPerGb, diskGb * bytesPerGb),
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

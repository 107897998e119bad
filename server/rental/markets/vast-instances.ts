/**
 * What is rented at Vast.ai: `GET /api/v1/instances/`, 25 to a page at most. Source: docs.vast.ai/api-reference/instances/show-instances-v1,
 * 2026-08. Version 0 of this one list is retired: it answers 410 (`deprecated_endpoint`) to more and more accounts since June 2026, while
 * offers, orders, single instances and charges are still version 0 only. Runs where `vast.ts` does.
 */
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { gpuTitle } from "../../domain/rental/gpu-name.ts";
import type { InstanceList, InstanceState, RentalInstance, RentKind } from "../../domain/rental/market.ts";
import { hourlyNanos, numberOf } from "./amounts.ts";
import { callMarket, type MarketWire, readAs, wireText as text } from "./call.ts";
import { ratesOf } from "./vast-offers.ts";

const instance = z.looseObject({
  id: z.string().min(1),
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
/** One that cannot be read spoils the list: what is missing in it must not look as if it were gone. */
const instancePage = z.looseObject({
  instances: z.array(instance).max(10_000),
  next_token: z.string().nullish(),
  total_instances: text,
});
type VastInstance = z.output<typeof instance>;
const servedPort = 4747;
const longestPage = 25;
const mostPages = 400;

interface InstanceRows extends Pick<InstanceList, "takenAtMs" | "skewMs"> {
  readonly rows: readonly VastInstance[];
}

/**
 * All pages; as old as the first of them. Throws `upstream_failed` for a list that does not end, or shows fewer than it counts: an instance
 * that it leaves out would look as if it were gone.
 */
export async function instanceRows(wire: MarketWire, signal: AbortSignal): Promise<InstanceRows> {
  const { title, baseUrl } = wire;
  const newer = { ...wire, baseUrl: baseUrl.replace(/\/v0$/, "/v1") };
  const rows = new Map<string, VastInstance>();
  let first: Pick<InstanceList, "takenAtMs" | "skewMs"> | null = null;
  let token: string | null = null;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query = new URLSearchParams({
      limit: String(longestPage),
      ...(token === null ? {} : { after_token: token }),
    });
    const call = { method: "GET" as const, path: `/instances/?${query}`, heard: [] };
    const answer = await callMarket(newer, call, signal);
    const page = readAs(instancePage, answer.body, title);
    first ??= { takenAtMs: answer.atMs, skewMs: answer.skewMs };
    for (const row of page.instances) rows.set(row.id, row);
    token = page.next_token ?? null;
    if (token !== null) continue;
    const counted = numberOf(page.total_instances);
    if (counted === null || counted <= rows.size) return { ...first, rows: [...rows.values()] };
    throw new Failure("upstream_failed", `${title} counts ${counted} instances and shows ${rows.size}.`);
  }
  throw new Failure("upstream_failed", `The pages of what is rented at ${title} do not come to an end.`);
}

/** Of the container, `actual_status`. */
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

/**
 * `cur_state` is the contract's: `running` while the hardware is ours, whatever the container does. A container that has not been made yet
 * has no status, and waits for a machine; one that has ended because the hardware went to somebody else is stopped, and only one
 * that ended by itself has exited.
 */
function stateOf({
  actual_status: actual,
  cur_state: contract,
  intended_status: intended,
}: VastInstance): InstanceState {
  if (contract === "unloaded") return "gone";
  if (actual === null || actual === undefined) {
    return contract === "stopped" && intended === "stopped" ? "stopped" : "scheduling";
  }
  const state = states[actual] ?? "unknown";
  return state === "exited" && contract === "stopped" ? "stopped" : state;
}

/** It says so; where it does not, what has a least bid is bid for. */
function kindOf({ is_bid: isBid, min_bid: leastBid }: VastInstance): RentKind {
  return (isBid ?? (leastBid !== null && leastBid !== undefined)) ? "bid" : "on-demand";
}

export function readInstance(data: VastInstance, market: string): RentalInstance {
  const kind = kindOf(data);
  const gpuPerHour = hourlyNanos(kind === "bid" ? (data.bid_price ?? data.dph_base) : data.dph_base);
  const diskGb = numberOf(data.disk_space);
  const rates = gpuPerHour === null || diskGb === null ? null : ratesOf(gpuPerHour, data, diskGb * 1e9);
  const hostPort = data.ports?.[`${servedPort}/tcp`]?.[0]?.HostPort ?? null;
  const address = data.public_ipaddr?.trim() ?? "";
  const intended = data.intended_status ?? null;
  const started = numberOf(data.start_date);
  return {
    market,
    instanceId: data.id,
    label: data.label ?? null,
    state: stateOf(data),
    words: [data.actual_status ?? "no container yet", data.status_msg ?? ""]
      .filter((word) => word !== "")
      .join(": ")
      .slice(0, 300),
    meantToRun: intended === null ? null : intended === "running",
    kind,
    bidPerHourNanos: kind === "bid" ? hourlyNanos(data.bid_price) : null,
    gpu: gpuTitle(data.gpu_name ?? "?"),
    gpuCount: numberOf(data.num_gpus) ?? 1,
    rates,
    address: address === "" || hostPort === null ? null : `http://${address}:${hostPort}`,
    region: data.geolocation ?? null,
    createdAtMs: started === null ? null : Math.round(started * 1000),
  };
}

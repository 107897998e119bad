/**
 * Vast.ai: machines of many hosts, on demand or at a bid. Source: docs.vast.ai and the source of its command-line tool (vast-ai/vast-cli),
 * 2026-08. Runs in the server, and on a rented machine with the key that the market gives inside the instance.
 *
 * `price` in a create is the bid; without it the dear kind is bought, so a bid always states it and on-demand never has it. An
 * instance says which kind it became (`is_bid`), and whoever rents it compares.
 */
import { gpuTitle } from "../../domain/rental/gpu-name.ts";
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type {
  InstanceState,
  RejectedOffer,
  RentalInstance,
  RentalOffer,
  RentalOrder,
  RentKind,
} from "../../domain/rental/market.ts";
import type { Market, MarketDeed } from "../market.ts";
import { hourlyNanos, numberOf, usdNumber } from "./amounts.ts";
import { callMarket, type MarketAnswer, type MarketWire, readAs, wireText as text } from "./call.ts";
import type { MarketType } from "./market-type.ts";
import { chargesOf } from "./vast-bills.ts";
import { ratesOf, readOffer, searchOf } from "./vast-offers.ts";
import { isWanted } from "./wanted.ts";

const offerPage = z.object({ offers: z.array(z.unknown()).max(100_000) });
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
const instancePage = z.object({ instances: z.array(instance).max(10_000) });
type VastInstance = z.output<typeof instance>;
const created = z.object({ success: z.literal(true), new_contract: z.union([z.string(), z.number()]) });
const refused = z.looseObject({ success: z.literal(false), error: text, msg: text });
const servedPort = 4747;
/** Statuses under which it says that somebody else has the machine; their words tell them from a wrong order. */
const createHeard = Object.freeze([400, 404, 409, 410]);
const isTaken = /no_such_ask|not available|already rented/i;
const isBroke = /insufficient_credit/i;

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
      { method, path: `/instances/${encodeURIComponent(instanceId)}/`, body, heard: [404, 409, 410] },
      signal,
    );
    if (answer.status === 404 || answer.status === 410) return "gone";
    if (answer.status === 409) return "again";
    const no = refused.safeParse(answer.body);
    // `success: false` under 200 is how it says that it has not done it.
    return no.success ? "again" : "done";
  }

  return {
    id,
    type: "vast",
    title,
    traits: {
      bids: true,
      stops: true,
      volumes: false,
      billsBoot: false,
      bills: true,
      offersEveryMs: 60_000,
      instancesEveryMs: 3_000,
    },
    async offers(filter, signal) {
      const answer = await callMarket(wire, { method: "POST", path: "/bundles/", body: searchOf(filter) }, signal);
      const page = readAs(offerPage, answer.body, title);
      const offers: RentalOffer[] = [];
      const rejected: RejectedOffer[] = [];
      for (const raw of page.offers) {
        const one = readOffer(raw, filter, id);
        if ("reason" in one) rejected.push(one);
        else if (isWanted(one, filter)) offers.push(one);
      }
      return { offers, rejected, takenAtMs: answer.atMs };
    },
    async instances(signal) {
      const answer = await callMarket(wire, { method: "GET", path: "/instances/" }, signal);
      const page = readAs(instancePage, answer.body, title);
      const instances = page.instances.map((raw) => readInstance(raw, id));
      return { instances, takenAtMs: answer.atMs, skewMs: answer.skewMs };
    },
    async create(order, signal) {
      const path = `/asks/${encodeURIComponent(order.offerId)}/`;
      const call = { method: "PUT" as const, path, body: createBody(order), heard: createHeard };
      const answer = await callMarket(wire, call, signal);
      const made = created.safeParse(answer.body);
      if (answer.status < 300 && made.success) return { instanceId: String(made.data.new_contract) };
      throw notMade(answer, title);
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
    bills: (from, until, signal) => chargesOf(wire, from, until, signal),
  };
}

/** A refusal means that nothing was made; what is no refusal leaves that open. */
function notMade({ status, body }: MarketAnswer, title: string): Failure {
  const no = refused.safeParse(body).data;
  const said = [no?.error, no?.msg].filter((word) => word !== undefined && word !== null).join(": ");
  const words = said === "" ? "" : `: ${said.slice(0, 200)}`;
  if (isBroke.test(said)) return new Failure("upstream_quota", `The account at ${title} has no credit left${words}.`);
  if (status === 404 || status === 409 || status === 410 || isTaken.test(said)) {
    return new Failure("not_found", `${title} has not got this offer any more${words}.`, {
      next: ["lanthorn rental offers"],
    });
  }
  if (no === undefined && status < 300) {
    return new Failure("upstream_failed", `${title} does not say which instance it has made.`);
  }
  return new Failure("upstream_invalid_request", `${title} does not take this order (${status})${words}.`);
}

export const vast: MarketType = Object.freeze<MarketType>({
  type: "vast",
  title: "Vast.ai",
  baseUrl: "https://console.vast.ai/api/v0",
  keyVariables: ["VAST_API_KEY"],
  open: vastMarket,
});

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

function readInstance(data: VastInstance, market: string): RentalInstance {
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
    // The image's own entry point; a start script is heard only where the market's stands before it.
    runtype: order.onStart === "" ? "args" : "ssh",
    target_state: "running",
    // Gone is gone: without this the market queues an order for a machine that others have.
    cancel_unavail: true,
    env: { ...order.environment, [`-p ${order.port}:${order.port}`]: "1" },
    ...(order.onStart === "" ? {} : { onstart: order.onStart }),
    ...(order.bidPerHourNanos === null ? {} : { price: usdNumber(order.bidPerHourNanos) }),
  };
}

/**
 * Vast.ai: machines of many hosts, on demand or at a bid. Source: docs.vast.ai and the source of its command-line tool (vast-ai/vast-cli),
 * 2026-08. Runs in the server, and on a rented machine with the key that the market gives inside the instance.
 *
 * `price` in a create is the bid; without it the dear kind is bought, so a bid always states it and on-demand never has it. An
 * instance says which kind it became (`is_bid`), and whoever rents it compares.
 */
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { RejectedOffer, RentalOffer, RentalOrder } from "../../domain/rental/market.ts";
import type { Market, MarketDeed } from "../market.ts";
import { usdNumber } from "./amounts.ts";
import { callMarket, type MarketAnswer, type MarketWire, readAs, wireText as text } from "./call.ts";
import type { MarketType } from "./market-type.ts";
import { chargesOf } from "./vast-bills.ts";
import { instanceRows, readInstance } from "./vast-instances.ts";
import { readOffer, searchOf } from "./vast-offers.ts";
import { isWanted } from "./wanted.ts";

const offerPage = z.object({ offers: z.array(z.unknown()).max(100_000) });
const created = z.object({ success: z.literal(true), new_contract: z.union([z.string(), z.number()]) });
const refused = z.looseObject({ success: z.literal(false), error: text, msg: text });
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
      billsAllButStopped: false,
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
      const { rows, takenAtMs, skewMs } = await instanceRows(wire, signal);
      return { instances: rows.map((row) => readInstance(row, id)), takenAtMs, skewMs };
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

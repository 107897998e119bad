/**
 * What a rented machine may ask its market about itself: to be stopped, to be destroyed. With the key that the market gives inside the
 * machine, for this one machine. Runs in the server process; decides nothing and asks once.
 */
import { Failure } from "../../domain/failure.ts";
import type { RentalDeed, RentalMarket } from "../../domain/rental/this-rental.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { MarketDeed, MarketTraits } from "../market.ts";
import type { OwnMarket } from "./end-rental.ts";

export interface OwnMarketOptions {
  readonly market: RentalMarket;
  /** `thisRental.marketUrl`; empty: the market's own. */
  readonly baseUrl: string;
  readonly key: string;
  readonly upstream: UpstreamFetch;
}

interface OwnCall {
  readonly method: "PUT" | "POST" | "DELETE";
  readonly path: string;
  /** Null: no body. */
  readonly body: object | null;
}

interface OwnApi {
  readonly title: string;
  readonly baseUrl: string;
  readonly traits: Pick<MarketTraits, "bids">;
  call(deed: RentalDeed, instanceId: string): OwnCall;
}

/** As documented by vast-ai/vast-cli and runpod/docs in August 2026. */
const apis: Readonly<Record<RentalMarket, OwnApi>> = Object.freeze({
  vast: {
    title: "Vast.ai",
    baseUrl: "https://console.vast.ai/api/v0",
    traits: { bids: true },
    call: (deed, id) =>
      deed === "stop"
        ? { method: "PUT", path: `/instances/${id}/`, body: { state: "stopped" } }
        : { method: "DELETE", path: `/instances/${id}/`, body: {} },
  },
  runpod: {
    title: "RunPod",
    baseUrl: "https://api.runpod.io/v2",
    traits: { bids: false },
    call: (deed, id) =>
      deed === "stop"
        ? { method: "POST", path: `/pods/${id}/action`, body: { action: "stop" } }
        : { method: "DELETE", path: `/pods/${id}`, body: null },
  },
});

export function ownMarket({ market, baseUrl, key, upstream }: OwnMarketOptions): OwnMarket {
  const api = apis[market];
  const base = (baseUrl || api.baseUrl).replace(/\/+$/, "");

  async function ask(deed: RentalDeed, instanceId: string, signal: AbortSignal): Promise<MarketDeed> {
    const { method, path, body } = api.call(deed, encodeURIComponent(instanceId));
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const answer = await upstream
      .fetch(base + path, { method, headers, ...(body === null ? {} : { body: JSON.stringify(body) }), signal })
      .catch((cause: unknown) => {
        const words = cause instanceof Error ? cause.message : "no answer";
        throw new Failure("upstream_unreachable", `${api.title} did not answer: ${words}.`, { cause });
      });
    const text = (await answer.text()).slice(0, 1_000);
    if (answer.status === 404 || answer.status === 410) return "gone";
    // In the middle of another change of state.
    if (answer.status === 409) return "again";
    if (answer.status === 401 || answer.status === 403) {
      throw new Failure("upstream_key_refused", `${api.title} does not take this machine's own key.`);
    }
    if (answer.status === 429) throw new Failure("upstream_rate_limited", `${api.title} asks to be left alone.`);
    if (!answer.ok) throw new Failure("upstream_failed", `${api.title} answered with status ${answer.status}.`);
    // Vast.ai says in a 200 that nothing was done.
    if (/"success"\s*:\s*false/.test(text)) throw new Failure("upstream_failed", `${api.title} did not do it.`);
    return "done";
  }

  return {
    title: api.title,
    traits: { ...api.traits, stops: true, volumes: true, offersEveryMs: 60_000, instancesEveryMs: 10_000 },
    stop: (instanceId, signal) => ask("stop", instanceId, signal),
    destroy: (instanceId, signal) => ask("destroy", instanceId, signal),
  };
}

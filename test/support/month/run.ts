/**
 * Lives a month: the story's requests go through the product's own meter, price list and writer into a real ledger file, on a
 * clock that is moved by hand. What comes out is only what the reports say.
 */
import type { HardwareView } from "../../../server/domain/hardware.ts";
import type { Cost } from "../../../server/domain/money.ts";
import { priceBook } from "../../../server/domain/pricing/book/index.ts";
import { overrideRow } from "../../../server/domain/pricing/override.ts";
import { createPricing } from "../../../server/domain/pricing/price-list.ts";
import { noTimings, noUsage, type Usage } from "../../../server/domain/usage.ts";
import type { ServiceTier } from "../../../server/domain/chat.ts";
import { openPowerMeter, type RunningMeter } from "../../../server/hardware/power-meter.ts";
import { type Ledger, openLedger } from "../../../server/ledger/ledger.ts";
import { createMoneyDesk, type MoneyDesk } from "../../../server/ledger/money-desk.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { manualClock } from "../manual-clock.ts";
import { silentLog } from "../real-engine.ts";
import { type Story, type Told, watts } from "./story.ts";

/** As in the settings. `large` is the baseline, and costs half from the 15th on. */
export const prices = [
  { provider: "vendor", model: "large", prompt: "2", completion: "10", cached: "0.2", until: "2026-10-15" },
  { provider: "vendor", model: "large", prompt: "1", completion: "5", cached: "0.1", from: "2026-10-15" },
  { provider: "vendor", model: "small", prompt: "0.75", completion: "4.5", cached: "0.075", batchAtHalf: true },
] as const;

export const settings = {
  power: {
    ...{ pricePerKwh: "0.3299", currency: "EUR", usdPerUnit: "1.0812", watts: 0, baseWatts: 58 },
    ...{ wearPerHour: "0.031", rentPerHour: "" },
  },
  hardware: { sampleMs: 10_000 },
  savings: { provider: "vendor", model: "large", cacheHits: "none" },
  zone: "UTC",
} as const;

export interface LivedMonth {
  readonly ledger: Ledger;
  /** What it would tell at that moment. */
  deskAt(atMs: number): MoneyDesk;
}

type Clock = ReturnType<typeof manualClock>;

export function liveMonth(story: Story, path: string): LivedMonth {
  const clock = manualClock(story.fromMs);
  const ledger = openLedger(path, { clock: systemClock, log: silentLog });
  const overrides = prices.map(overrideRow);
  const pricing = createPricing({ book: priceBook, overrides, worstCase: { prompt: 0, completion: 0 } });
  let busy = 0;
  const hardware = { view: () => viewOf(clock.now(), busy > 0 ? watts.busy : watts.idle) };
  const meter = openPowerMeter(settings, ledger.power, hardware, clock);
  if (meter === null) throw new Error("the settings have a price");
  const write = writing(ledger, meter, (asked) => pricing.price(asked));

  const works = (more: 1 | -1, tell: () => void) => {
    busy += more;
    tell();
  };
  const loads = (more: 1 | -1, state: "loading" | "ready") => works(more, () => meter.sawModel({ id: "m", state }));
  /** What happens, and when. */
  const events: { readonly atMs: number; readonly run: () => void }[] = [];
  for (const [from, to] of story.loads) {
    events.push({ atMs: from, run: () => loads(1, "loading") });
    events.push({ atMs: to, run: () => loads(-1, "ready") });
  }
  for (const told of story.requests) {
    events.push({ atMs: told.startedAtMs, run: () => write.opened(told) });
    if (told.stepMs === 0) {
      events.push({ atMs: told.startedAtMs + 500, run: () => write.ended(told) });
      continue;
    }
    const began = told.startedAtMs + told.queueMs;
    events.push({ atMs: began, run: () => works(1, () => meter.began(told.id, "m")) });
    events.push({ atMs: began + told.stepMs, run: () => works(-1, () => write.ended(told)) });
  }
  events.sort((left, right) => left.atMs - right.atMs);
  for (const { atMs, run } of events) {
    moveTo(clock, atMs, ledger);
    run();
  }
  moveTo(clock, story.toMs - 1, ledger);
  meter.stop();
  ledger.writer.flush();
  const deskAt = (atMs: number) =>
    createMoneyDesk({
      ...{
        reports: ledger.money,
        setting: settings.savings,
        zone: settings.zone,
        overrides,
        clock: { now: () => atMs },
      },
      localContext: () => 16_384,
    });
  return { ledger, deskAt };
}

/** In steps, so that what waits for the writer stays small. */
function moveTo(clock: Clock, atMs: number, ledger: Ledger): void {
  while (clock.now() < atMs) {
    clock.advance(Math.min(3_600_000, atMs - clock.now()));
    ledger.writer.flush();
  }
}

type Priced = ReturnType<typeof createPricing>["price"];

function writing(ledger: Ledger, meter: RunningMeter, price: Priced) {
  const { writer } = ledger;
  /** Attempts of a request: where, as what, and how it went. */
  const attempt = (told: Told, number: number, change: Attempt) => {
    const { target, reason = "first", status = "done", usage, cost, provider, tier = "standard" } = change;
    const upstream = provider === undefined ? {} : { upstream: provider };
    writer.openAttempt({ requestId: told.id, number, target, reason, offsetMs: 0, ...upstream });
    const pricing =
      provider === undefined
        ? {}
        : { pricing: { ...noPricing, computedNanos: cost.known ? cost.nanos : null, serviceTier: tier } };
    const { kept } = change;
    const keptUsage = kept === undefined ? {} : { keptUsage: kept };
    const row = { requestId: told.id, number, status, failureCode: null, durationMs: 500, usage, cost };
    writer.closeAttempt({ ...row, timings: noTimings, ...pricing, ...keptUsage });
    return cost;
  };
  const atProvider = (told: Told, model: string, change: Partial<Attempt> = {}): Attempt => {
    const { promptTokens, cachedTokens, completionTokens } = told;
    const usage = change.usage ?? { promptTokens, cachedTokens, completionTokens, reasoningTokens: 0 };
    const tier = change.tier ?? "standard";
    const used = { usage, audio: noAudio, serviceTier: tier, toolCalls: {}, reported: null, flags: [], raw: null };
    const { cost } = price({ provider: "vendor", model, atMs: told.startedAtMs, used });
    return { target: `vendor/${model}`, provider: { provider: "vendor", model }, usage, cost, ...change };
  };
  const here = (told: Told): Pick<Attempt, "target" | "usage"> => {
    const { promptTokens, completionTokens } = told;
    return { target: "engine/m", usage: { promptTokens, cachedTokens: 0, completionTokens, reasoningTokens: 0 } };
  };
  return {
    opened(told: Told) {
      writer.openRequest({
        ...{ id: told.id, startedAtMs: told.startedAtMs, callerKind: "keyless", keyId: null, callerName: told.person },
        ...{ dialect: "openai-chat", alias: "coder", stream: true, task: told.task },
      });
      if (told.stepMs === 0) return;
      writer.openAttempt({ requestId: told.id, number: 1, target: "engine/m", reason: "first", offsetMs: 0 });
      meter.opened(told.id, "m");
    },
    ended(told: Told) {
      const costs: Cost[] = [];
      if (told.stepMs > 0) {
        const cost = meter.take(told.id, { backendId: "engine", model: "m" });
        if (cost === null) throw new Error("the engine is metered");
        const status = told.kind === "left" ? "aborted" : "done";
        const row = { requestId: told.id, number: 1, status, failureCode: null, durationMs: told.stepMs } as const;
        writer.closeAttempt({ ...row, usage: here(told).usage, timings: noTimings, cost });
        costs.push(cost);
      }
      switch (told.kind) {
        case "cheap":
          costs.push(attempt(told, 1, atProvider(told, "small")));
          break;
        case "dear":
          costs.push(attempt(told, 1, atProvider(told, "large")));
          break;
        case "batch":
          costs.push(attempt(told, 1, atProvider(told, "small", { tier: "batch" })));
          break;
        case "unpriced":
          costs.push(attempt(told, 1, atProvider(told, "unheard-of")));
          break;
        case "draft":
          costs.push(attempt(told, 2, atProvider(told, "large", { reason: "fallback" })));
          break;
        case "kept":
          costs.push(attempt(told, 1, { target: "cache/coder", usage: noUsage, cost: free, kept: here(told).usage }));
          break;
        case "retried":
          costs.push(attempt(told, 1, atProvider(told, "small", { status: "failed", usage: partOf(told) })));
          costs.push(attempt(told, 2, atProvider(told, "small")));
          break;
        case "failed":
          costs.push(attempt(told, 1, atProvider(told, "small", { status: "failed", usage: partOf(told) })));
          break;
      }
      const knownNanos = costs.reduce((sum, cost) => sum + (cost.known ? cost.nanos : 0), 0);
      const isUnknown = costs.some(({ known }) => !known);
      const cost: Cost = isUnknown
        ? { known: false, reason: "unknown_price" }
        : { known: true, nanos: knownNanos, basis: "estimated" };
      const status = told.kind === "failed" ? "failed" : told.kind === "left" ? "aborted" : "done";
      void writer.closeRequest({
        ...{ id: told.id, status, finishReason: null, failureCode: null, durationMs: 500, ttftMs: null },
        ...{ usage: noUsage, timings: noTimings, cost, knownNanos, unknownAttempts: isUnknown ? 1 : 0 },
      });
    },
  };
}

interface Attempt {
  readonly target: string;
  readonly reason?: string;
  readonly status?: "done" | "failed";
  readonly usage: Usage;
  readonly cost: Cost;
  readonly provider?: { readonly provider: string; readonly model: string };
  readonly tier?: ServiceTier;
  readonly kept?: Usage;
}

/** A stream that broke off after ten tokens. */
function partOf({ promptTokens }: Told): Usage {
  return { promptTokens, cachedTokens: 0, completionTokens: 10, reasoningTokens: 0 };
}

const noAudio = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
const free: Cost = { known: true, nanos: 0, basis: "measured" };
const noPricing = {
  ...{ reportedNanos: null, driftNanos: null, priceId: null, parts: [], flags: [], audio: noAudio, rawUsage: null },
};

function viewOf(sampledAtMs: number, drawn: number): HardwareView {
  const figure = <Value>(value: Value) => ({ value, source: "nvidia-smi" as const });
  return {
    ...{ sampledAtMs, platform: "linux", cpu: { name: null, physicalCores: null, threads: null } },
    gpus: [
      {
        ...{ id: "0", index: 0, vendor: "nvidia", name: "a card", state: "present", unifiedMemory: false },
        ...{ memoryTotalBytes: null, memoryFreeBytes: null, driver: null, computeCapability: null },
        powerDrawWatts: figure(drawn),
        ...{ powerLimitWatts: null, temperatureCelsius: null, utilisationPercent: null },
        ...{ pcieGeneration: null, pcieWidth: null },
      },
    ],
    ...{ memory: { totalBytes: null, freeBytes: null }, disk: { totalBytes: null, freeBytes: null } },
    engine: { gpu: "cuda-12", reason: "" },
  };
}

/** Markets and serverless providers of GPUs. Data; nano-USD an hour. A market moves by the hour: these are for planning only. */
import type { CardName } from "./cards.ts";
import type { InstanceRow, ProviderInstances } from "./instance.ts";

type Range = readonly [low: number, high: number];

function bid(name: string, card: CardName, [low, high]: Range): InstanceRow {
  return { name, gpu: card, gpus: 1, kind: "bid", hourNanosLow: low, hourNanosHigh: high };
}

function fixed(name: string, card: CardName, hourNanos: number): InstanceRow {
  return { ...bid(name, card, [hourNanos, hourNanos]), kind: "on_demand" };
}

function serverless(name: string, card: CardName, hourNanos: number): InstanceRow {
  return { ...fixed(name, card, hourNanos), kind: "serverless" };
}

const h100Listing = "tgarg01/silybench-data";

export const vastInstances: ProviderInstances = Object.freeze({
  provider: "vast",
  source: "AI Multi-Model Orchestration Plan, DeepSeek VPS options (a market: it moves by the hour)",
  checked: null,
  rows: [
    bid("rtx-3090", "RTX 3090", [200_000_000, 350_000_000]),
    bid("rtx-4090", "RTX 4090", [350_000_000, 500_000_000]),
    { ...fixed("h100-median", "H100", 2_402_400_000), source: h100Listing, checked: "2026-10-19" },
  ],
});

export const runpodInstances: ProviderInstances = Object.freeze({
  provider: "runpod",
  source: "AI Multi-Model Orchestration Plan, DeepSeek VPS options (not compared with the provider's own list)",
  checked: null,
  rows: [
    fixed("rtx-3090", "RTX 3090", 300_000_000),
    fixed("a40", "A40", 500_000_000),
    { ...fixed("h100-community", "H100", 2_690_000_000), source: h100Listing, checked: "2026-09-25" },
    { ...fixed("h100-secure", "H100", 3_490_000_000), source: h100Listing, checked: "2026-09-25" },
  ],
});

export const modalInstances: ProviderInstances = Object.freeze({
  provider: "modal",
  source: "LLM API Providers Comparison, Modal (not compared with the provider's own list)",
  checked: "2025-12-23",
  rows: [serverless("l40s", "L40S", 1_950_000_000), serverless("b200", "B200", 6_250_000_000)],
});

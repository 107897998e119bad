/** Machines of the large clouds. Data; nano-USD an hour. */
import type { CardName } from "./cards.ts";
import type { InstanceRow, ProviderInstances } from "./instance.ts";

const guide =
  "AI Agent Production Deployment & Cost Analysis Guide, section 4 (not compared with the provider's own list)";
const guideDay = "2025-11";

function gpu(name: string, card: CardName, hourNanos: number, gpus = 1): InstanceRow {
  return {
    name,
    gpu: card,
    gpus,
    kind: "on_demand",
    hourNanosLow: hourNanos,
    hourNanosHigh: hourNanos,
  };
}

function cpu(name: string, hourNanos: number): InstanceRow {
  return {
    name,
    gpu: null,
    gpus: 0,
    kind: "on_demand",
    hourNanosLow: hourNanos,
    hourNanosHigh: hourNanos,
  };
}

const strategy = {
  source: "LLM Infrastructure Strategy, GPU instance recommendations (not compared with the provider's own list)",
  checked: null,
};

export const awsInstances: ProviderInstances = Object.freeze({
  provider: "aws",
  source: guide,
  checked: guideDay,
  rows: [
    gpu("g4dn.xlarge", "T4", 526_000_000),
    gpu("g4dn.2xlarge", "T4", 752_000_000),
    gpu("g5.xlarge", "A10G", 1_006_000_000),
    { ...gpu("g6.xlarge", "L4", 800_000_000), ...strategy },
    { ...gpu("g6e.xlarge", "L40S", 1_860_000_000), ...strategy },
    { ...gpu("p4d.24xlarge", "A100", 22_000_000_000, 8), ...strategy },
    cpu("t3.medium", 41_600_000),
    cpu("t3.xlarge", 166_400_000),
  ],
});

export const azureInstances: ProviderInstances = Object.freeze({
  provider: "azure",
  source: guide,
  checked: guideDay,
  rows: [gpu("NC6s_v3", "V100", 3_060_000_000), gpu("NC4as_T4_v3", "T4", 526_000_000), cpu("B2s", 42_000_000)],
});

export const gcpInstances: ProviderInstances = Object.freeze({
  provider: "gcp",
  source: guide,
  checked: guideDay,
  rows: [gpu("n1-standard-4+T4", "T4", 650_000_000), cpu("n1-standard-2", 95_000_000)],
});

export const alibabaInstances: ProviderInstances = Object.freeze({
  provider: "alibaba",
  source: guide,
  checked: guideDay,
  rows: [gpu("ecs.gn6v-c8g1.2xlarge", "T4", 850_000_000), cpu("ecs.g6.large", 90_000_000)],
});

/** What this box knows of itself, as settings of a plan. Pure: the caller has read the ledger and the hardware. */
import type { Figure } from "./figure.ts";
import type { KnownSettings } from "./settings.ts";

/** Sums over the days that were looked at. */
export interface LedgerFacts {
  readonly requests: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Different callers that asked. */
  readonly callers: number;
  readonly days: number;
}

export interface HardwareFacts {
  readonly gpuName: string | null;
  /** Of one GPU. */
  readonly powerLimitWatts: number | null;
  readonly powerDrawWatts: number | null;
}

/** Fewer requests say little about the usual one. */
export const fewestRequests = 50;
/** What stands around a GPU draws so much while it works: board, memory, fans, losses. */
const aroundGpuWatts = 100;

export function measuredSettings(ledger: LedgerFacts | null, hardware: HardwareFacts | null): KnownSettings {
  return { ...ofLedger(ledger), ...ofHardware(hardware) };
}

function ofLedger(ledger: LedgerFacts | null): KnownSettings {
  if (ledger === null || ledger.requests < fewestRequests || ledger.callers < 1) return {};
  const { requests, promptTokens, cachedTokens, completionTokens, callers, days } = ledger;
  const measured = (value: number): Figure => ({
    value,
    basis: "measured",
    from: `this box's ledger, ${requests} requests of ${callers} callers in ${days} days`,
  });
  return {
    users: measured(callers),
    queriesPerUserDay: measured(rounded(requests / callers / days, 2)),
    promptTokens: measured(Math.round(promptTokens / requests)),
    completionTokens: measured(Math.round(completionTokens / requests)),
    ...(promptTokens === 0 ? {} : { cachedPromptPercent: measured(rounded((cachedTokens * 100) / promptTokens, 2)) }),
  };
}

function ofHardware(hardware: HardwareFacts | null): KnownSettings {
  if (hardware === null || hardware.powerLimitWatts === null) return {};
  const { gpuName, powerLimitWatts } = hardware;
  const value = Math.round(powerLimitWatts) + aroundGpuWatts;
  const from = `${gpuName ?? "GPU"}: its power limit of ${Math.round(powerLimitWatts)} W and ${aroundGpuWatts} W around it`;
  return { busyWatts: { value, basis: "estimated", from } };
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

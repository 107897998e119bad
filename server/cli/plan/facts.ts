/**
 * What this box knows of itself for a plan: its ledger's last thirty days, its hardware, its prices. Runs in the command's process. A box
 * that knows nothing yet is no failure: then assumptions stand in, and the plan says so.
 */
import { existsSync } from "node:fs";
import { type HardwareFacts, type LedgerFacts, measuredSettings } from "../../domain/planner/measured.ts";
import { type Settings, settle } from "../../domain/planner/settings.ts";
import type { PriceList } from "../../domain/pricing/price-list.ts";
import type { UsageSummary } from "../../ledger/records.ts";
import { summaryAnswer } from "../answers.ts";
import { withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { asCommandFailure } from "../errors.ts";
import { findServer } from "../server-address.ts";
import { givenSettings, type PlanFlags } from "./flags.ts";

/** Widest first. */
const windowsDays: readonly number[] = [30, 7, 1];
const dayMs = 86_400_000;
/** A tool of a driver that hangs must not hold up a plan. */
const hardwareLimitMs = 4_000;

/** `power`: the plan counts this machine's power, for which its hardware is looked at; that takes a second or more. */
export async function settingsOf(flags: PlanFlags, context: CommandContext, power = false): Promise<Settings> {
  const given = givenSettings(flags);
  if (flags.assumed === true) return settle(given, {});
  const asksHardware = power && given.busyWatts === undefined;
  const [ledger, hardware] = await Promise.all([ledgerFacts(context), asksHardware ? hardwareFacts(context) : null]);
  return settle(given, measuredSettings(ledger, hardware));
}

/** Null: there is no ledger, or nobody lets us read it; the reason is noted. */
async function ledgerFacts(context: CommandContext): Promise<LedgerFacts | null> {
  try {
    const summaries = await lastDays(context);
    return summaries === null ? null : factsOf(summaries);
  } catch (thrown) {
    context.output.note(`This box's ledger is left out: ${asCommandFailure(thrown).message}.`);
    return null;
  }
}

/** One summary for each of `windowsDays`. */
async function lastDays(context: CommandContext): Promise<readonly UsageSummary[] | null> {
  const toMs = Date.now();
  const ranges = windowsDays.map((days) => ({ fromMs: toMs - days * dayMs, toMs }));
  const address = findServer(context.environment);
  if (address !== null) {
    return withClient(address, (client) =>
      Promise.all(
        ranges.map(({ fromMs, ...range }) =>
          client.call("GET", "/admin/usage/summary", summaryAnswer, { query: { from: fromMs, to: range.toMs } }),
        ),
      ),
    );
  }
  const [{ dataPaths }, { withLedger }] = await Promise.all([
    import("../../platform/paths.ts"),
    import("../data-folder.ts"),
  ]);
  // A plan made before anything was ever served leaves no data folder behind.
  if (!existsSync(dataPaths(context.environment).ledger)) return null;
  return withLedger(context.environment, (ledger) => Promise.all(ranges.map((range) => ledger.reports.summary(range))));
}

/** Of the narrowest window that holds as many requests as the widest: a box of three days must not be spread over thirty. */
function factsOf(summaries: readonly UsageSummary[]): LedgerFacts | null {
  const requests = summaries[0]?.total.requests ?? 0;
  const index = summaries.findLastIndex(({ total }) => total.requests === requests);
  const [summary, days] = [summaries[index], windowsDays[index]];
  if (summary === undefined || days === undefined) return null;
  const { usage } = summary.total;
  return {
    requests,
    promptTokens: usage.promptTokens,
    cachedTokens: usage.cachedTokens,
    completionTokens: usage.completionTokens,
    callers: summary.byCaller.filter((caller) => caller.requests > 0).length,
    days,
  };
}

async function hardwareFacts(context: CommandContext): Promise<HardwareFacts | null> {
  const [{ probeHardware }, { dataPaths }] = await Promise.all([
    import("../../hardware/probe.ts"),
    import("../../platform/paths.ts"),
  ]);
  try {
    const { gpus } = await probeHardware({
      modelsFolder: dataPaths(context.environment).models,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(hardwareLimitMs)]),
    });
    const gpu = gpus.find(({ state }) => state === "present");
    if (gpu === undefined) return null;
    return {
      gpuName: gpu.name,
      powerLimitWatts: gpu.powerLimitWatts?.value ?? null,
      powerDrawWatts: gpu.powerDrawWatts?.value ?? null,
    };
  } catch (thrown) {
    context.output.note(`This machine's hardware is left out: ${asCommandFailure(thrown).why}.`);
    return null;
  }
}

/** The book, the guide's prices and the owner's own rows, as the next start from here would see them. */
export async function pricesFor(context: CommandContext): Promise<PriceList> {
  const [{ loadConfig }, { dataPaths }, { pricesOfSettings }, { createPricing }, { priceBook }, { guidePrices }] =
    await Promise.all([
      import("../../config/load.ts"),
      import("../../platform/paths.ts"),
      import("../../domain/pricing/override.ts"),
      import("../../domain/pricing/price-list.ts"),
      import("../../domain/pricing/book/index.ts"),
      import("../../domain/planner/guide-prices.ts"),
    ]);
  const { environment, workingFolder } = context;
  const { values } = loadConfig({ file: dataPaths(environment).config, environment, flags: [], workingFolder });
  const { overrides, worstCase } = pricesOfSettings(values.prices, values.unknownPrice);
  return createPricing({ book: [...priceBook, guidePrices], overrides, worstCase });
}

/**
 * Markets asked from a command's own process, while no server runs. Loaded by commands only then. Takes the ledger behind its
 * single-writer lock where it has to know which leases there are.
 */
import { loadConfig } from "../../config/load.ts";
import { dataPaths } from "../../platform/paths.ts";
import { noServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import type { MarketDesk } from "./market-desk.ts";

type Around = Pick<CommandContext, "environment" | "workingFolder" | "signal">;

export async function withOwnMarkets<Result>(
  _context: Around,
  _work: (desk: MarketDesk) => Promise<Result>,
): Promise<Result> {
  throw noServer();
}

/** Those of the settings that are switched on; none where the settings cannot be read. */
export function marketsOfSettings({ environment, workingFolder }: Omit<Around, "signal">): readonly string[] {
  try {
    const file = dataPaths(environment).config;
    const { markets } = loadConfig({ file, environment, flags: [], workingFolder }).values;
    return Object.entries(markets).flatMap(([name, { enabled }]) => (enabled ? [name] : []));
  } catch {
    return [];
  }
}

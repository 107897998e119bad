/**
 * One look at this machine: asks the tools and gives what they said, unread. Takes up to a minute and a half when everything
 * hangs; every part has its own limit, and one that fails leaves the others as they are.
 */
import type { Clock } from "../domain/ports.ts";
import type { Recording } from "./recording.ts";
import type { Tools } from "./run/tools.ts";

export interface CollectOptions {
  readonly tools: Tools;
  readonly modelsFolder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Everything. The engine comes last and alone: while it looks, it takes some of the cards' memory, which must not show as
 * taken in what the vendors' tools say.
 */
export async function collectAll({ tools, modelsFolder, clock, signal }: CollectOptions): Promise<Recording> {
  const [nvidiaSmi, rocmSmi, node, systeminformation] = await Promise.all([
    tools.nvidiaSmi(signal),
    tools.rocmSmi(signal),
    tools.node(modelsFolder),
    tools.systeminformation(signal),
  ]);
  const engine = await tools.engine(signal);
  return {
    lanthornMachine: 1,
    recordedAtMs: clock.now(),
    platform: tools.platform,
    arch: tools.arch,
    enginePackages: [...tools.enginePackages()],
    modelsFolder,
    nvidiaSmi,
    rocmSmi,
    engine,
    systeminformation,
    node,
  };
}

/**
 * Only what changes by the second, over what an earlier look at everything found. A vendor's tool that was missing then is not
 * looked for again.
 */
export async function collectLive(earlier: Recording, { tools, clock, signal }: CollectOptions): Promise<Recording> {
  const [nvidiaSmi, rocmSmi, node] = await Promise.all([
    earlier.nvidiaSmi?.answer.outcome === "missing" ? earlier.nvidiaSmi : tools.nvidiaSmi(signal),
    earlier.rocmSmi?.outcome === "missing" ? earlier.rocmSmi : tools.rocmSmi(signal),
    tools.node(earlier.modelsFolder),
  ]);
  return { ...earlier, recordedAtMs: clock.now(), nvidiaSmi, rocmSmi, node };
}

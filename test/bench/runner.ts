/** Runs one scenario: starts the servers, sizes the prompts, warms up, takes the samples in alternating order, judges the rows. */
import { startLanthorn } from "./lanthorn.ts";
import { startLlamaServer } from "./llama-server.ts";
import { disturbance, waitForQuiet, watchForeignWork } from "./machine.ts";
import { type BenchRow, judge, orderOfRun, type Side } from "./measure.ts";
import { modelFile } from "./models.ts";
import { type Prompts, sizedPrompts } from "./prompts.ts";
import type { Contestant, Scenario } from "./scenario.ts";

/** How often a sample that other work disturbed is taken again before it is kept and named. */
const retakes = 2;
const quietPatienceMs = 60_000;
/** The first seed of a sample; the warm-up uses 1. */
const firstSeed = 10;

export interface RunOptions {
  /** Path of llama-server; null: rows that need it are not run. */
  readonly peerProgram: string | null;
  /** Both sides are the peer: proves the harness, every ratio ought to be near 1. */
  readonly calibrate: boolean;
  /** Pairs of samples; null: each scenario's own count. */
  readonly runs: number | null;
  /** Measure whatever else runs here. */
  readonly anyway: boolean;
  /** Says a sentence to whoever waits. */
  readonly say: (sentence: string) => void;
}

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<BenchRow[]> {
  const { peerProgram } = options;
  const alone = scenario.plan === "ours" || (scenario.peerOptional === true && peerProgram === null);
  if (!alone && peerProgram === null) return [];
  const path = await modelFile(scenario.server.model, options.say);
  const start = async (side: Side): Promise<Contestant> => {
    if (side === "ours" && !options.calibrate) return await startLanthorn(path, scenario.server);
    if (peerProgram === null) throw new Error("there is no llama-server to start");
    return await startLlamaServer(peerProgram, path, scenario.server);
  };
  await quietOrThrow(options);
  const samples: Record<Side, (readonly number[])[]> = { ours: [], peer: [] };
  const runs = options.runs ?? scenario.runs;
  const take = async (side: Side, contestant: Contestant, prompts: Prompts, run: number): Promise<void> => {
    const figures = await undisturbed(scenario, options, (attempt) =>
      scenario.sample(contestant, prompts, firstSeed + run + attempt * 1000),
    );
    options.say(`${scenario.id} ${side} ${run + 1}/${runs}: ${figures.map((figure) => figure.toFixed(2)).join(", ")}`);
    samples[side].push(figures);
  };

  if (scenario.plan === "together" && !alone) {
    const contestants = { ours: await start("ours"), peer: await start("peer") };
    try {
      // Sized on one of them: both get the same text.
      const prompts = await sizedPrompts(contestants.peer);
      for (const side of orderOfRun(0)) await scenario.warmUp(contestants[side], prompts);
      for (let run = 0; run < runs; run += 1) {
        for (const side of orderOfRun(run)) await take(side, contestants[side], prompts, run);
      }
    } finally {
      await Promise.all([contestants.ours.stop(), contestants.peer.stop()]);
    }
  } else {
    for (let run = 0; run < runs; run += 1) {
      const sides: readonly Side[] = alone ? ["ours"] : orderOfRun(run);
      for (const side of sides) {
        const contestant = await start(side);
        try {
          const prompts = await sizedPrompts(contestant);
          await scenario.warmUp(contestant, prompts);
          await take(side, contestant, prompts, run);
        } finally {
          await contestant.stop();
        }
      }
    }
  }
  return scenario.rows.map((row, index) => judge(row, column(samples.ours, index), column(samples.peer, index)));
}

/** Takes a sample; takes it again when other work disturbed it, and names what could not be had undisturbed. */
export async function undisturbed<T>(
  named: { readonly id: string },
  options: Pick<RunOptions, "anyway" | "say">,
  takeSample: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const watch = watchForeignWork();
    const figures = await takeSample(attempt);
    const reason = disturbance(watch());
    if (reason === null || options.anyway) return figures;
    if (attempt === retakes) {
      options.say(`${named.id}: this sample is disturbed, ${reason}.`);
      return figures;
    }
    options.say(`${named.id}: taken again, ${reason}.`);
    await waitForQuiet(quietPatienceMs);
  }
}

/** Between scenarios the machine must have come to rest again. */
export async function quietOrThrow(options: Pick<RunOptions, "anyway">): Promise<void> {
  if (options.anyway) return;
  const reason = await waitForQuiet(quietPatienceMs);
  if (reason !== null) throw new Error(`the machine did not become quiet: ${reason}`);
}

function column(samples: readonly (readonly number[])[], index: number): number[] {
  return samples.map((figures) => figures[index] ?? Number.NaN);
}

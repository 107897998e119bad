/** `npm start` on a checkout where everything is installed and built: seconds until `/ready` answers 200. Reported with a target of two seconds. */
import { removeFolder, temporaryFolder } from "./folders.ts";
import { type BenchRow, judge, type RowDefinition } from "./measure.ts";
import { repositoryRoot } from "./models.ts";
import { freePort, startChild, waitForOk } from "./processes.ts";
import { quietOrThrow, type RunOptions, undisturbed } from "./runner.ts";

const defaultRuns = 5;
/** The first run may install and build. */
const readyLimitMs = 600_000;
const row: RowDefinition = { name: "npm start, second run, to /ready", unit: "s", better: "lower", target: 2 };

export async function startRows(options: RunOptions): Promise<BenchRow[]> {
  await quietOrThrow(options);
  await secondsToReady(); // The first run, which may have things to do.
  const samples: number[] = [];
  for (let run = 0; run < (options.runs ?? defaultRuns); run += 1) {
    samples.push(await undisturbed({ id: "start" }, options, secondsToReady));
    options.say(`start ${run + 1}: ${(samples.at(-1) ?? 0).toFixed(2)} s`);
  }
  return [judge(row, samples, [])];
}

async function secondsToReady(): Promise<number> {
  const port = await freePort();
  const home = temporaryFolder();
  const fromMs = performance.now();
  const child = startChild("npm start", "npm", ["start"], {
    cwd: repositoryRoot,
    env: { ...process.env, LANTHORN_HOME: home, LANTHORN_PORT: String(port) },
  });
  try {
    await waitForOk(child, `http://127.0.0.1:${port}/ready`, readyLimitMs, 10);
    return (performance.now() - fromMs) / 1000;
  } finally {
    await child.stop();
    removeFolder(home);
  }
}

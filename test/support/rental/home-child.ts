/**
 * A home in a process of its own, on a fast clock, that a test kills and starts again: `node home-child.ts <JSON of HomeWish>`. Prints one
 * line of JSON when it serves.
 */
import { createAppliance } from "../../../server/appliance.ts";
import { loadConfig } from "../../../server/config/load.ts";
import { dataPaths } from "../../../server/platform/paths.ts";
import { fastClock } from "../fast-clock.ts";
import { silentLog } from "../real-engine.ts";

export interface HomeWish {
  readonly environment: Readonly<Record<string, string>>;
  readonly speed: number;
  readonly epochMs: number;
  /** Its clock shows so much more. */
  readonly aheadMs?: number;
}

if (import.meta.main) {
  const { environment, speed, epochMs, aheadMs } = JSON.parse(process.argv[2] ?? "{}") as HomeWish;
  const paths = dataPaths(environment);
  const config = loadConfig({ file: paths.config, environment, flags: [], workingFolder: paths.home });
  const options = { config, paths, environmentAdminKey: null, firstKeyFile: null, terminal: false, lan: false };
  const clock = fastClock(speed, epochMs, aheadMs);
  const { started } = await createAppliance(
    { ...options, onStopAsked: () => {} },
    { clock, log: silentLog, environment },
  );
  console.log(JSON.stringify({ url: started.url }));
  setInterval(() => {}, 60_000);
}

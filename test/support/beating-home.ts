/**
 * A home that does nothing but beat, as a process that a test can kill: `node test/support/beating-home.ts <key file> <url> <instance>
 * <every ms>`. Writes a line to stdout for each heartbeat that was heard.
 */
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import { beat } from "../../server/rental/home/heart.ts";
import { openHomeKey } from "../../server/rental/home/home-key.ts";

const [keyFile = "", url = "", instanceId = "", everyMs = "500"] = process.argv.slice(2);
const homeKey = openHomeKey(keyFile);
const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
// Ends with its parent at the latest.
process.stdin.resume().on("end", () => process.exit());

for (;;) {
  const { skewMs } = await beat(
    { url, instanceId, upstream },
    { homeKey, clock: systemClock },
    AbortSignal.timeout(5_000),
  );
  console.log(`heard, ${skewMs} ms apart`);
  await pause(Number(everyMs));
}

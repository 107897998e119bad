/**
 * Serves requests from a ledger as a busy server does, and acknowledges each on stdout only once its row is in the file,
 * until it is killed. Started by the kill loop: `kill-child.ts <ledger> <round>`.
 */
import { writeSync } from "node:fs";
import { openLedger } from "../../../server/ledger/ledger.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { attempt, attemptEnding, ending, opening } from "./rows.ts";

const [path = "", round = ""] = process.argv.slice(2);
const startMs = performance.now();
const ledger = openLedger(path, { clock: systemClock, log: recordedLog() });
writeSync(1, `ready ${Math.round(performance.now() - startMs)} ${ledger.recovered}\n`);

let served = 0;
const upstream = { provider: "openai", model: "gpt-small" };

/** One client of 8: its requests take a few turns of the event loop each. */
async function client(): Promise<void> {
  while (true) {
    const id = `req_${round}_${served}`;
    served += 1;
    ledger.writer.openRequest(opening(id, { startedAtMs: Date.now() }));
    // Every third one costs money: it waits for its row.
    if (served % 3 === 0) await ledger.writer.openPaidAttempt(attempt(id, { upstream, heldNanos: 7 }));
    else ledger.writer.openAttempt(attempt(id));
    for (let turn = 0; turn < served % 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    ledger.writer.closeAttempt(attemptEnding(id));
    await ledger.writer.closeRequest(ending(id));
    writeSync(1, `done ${id}\n`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

await Promise.all(Array.from({ length: 8 }, client));

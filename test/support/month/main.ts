/**
 * `npm run -s month -- --seed 1 [--requests 120] [--json]`: a simulated month in a ledger file of its own, with the baseline,
 * what was saved and by what, and the power bill; all of it counted once more by hand. Status 1 where anything differs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nanosText } from "../../../server/cli/format.ts";
import { withUsd } from "../../../server/cli/money-json.ts";
import { forecastText, powerText, savingsText } from "../../../server/cli/usage/money-text.ts";
import { month } from "./month.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    requests: { type: "string", default: "120" },
    json: { type: "boolean", default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), "lanthorn-month-"));
try {
  const result = await month({ seed: Number(values.seed), each: Number(values.requests), folder });
  const { savings, power, forecast, differences } = result;
  const words = [
    `${result.requests} requests, seed ${result.seed}`,
    ...[savingsText(savings), powerText(power), `On the 24th at noon:\n${forecastText(forecast)}`],
    `It came to ${nanosText(result.cameToNanos)}.`,
    differences.length === 0 ? "Counted by hand: every sum agrees." : differences.join("\n"),
  ];
  process.stdout.write(values.json ? `${JSON.stringify(withUsd(result), null, 2)}\n` : `${words.join("\n\n")}\n`);
  process.exitCode = differences.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

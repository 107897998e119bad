/**
 * `npm run -s race -- --keys 4 --parallel 100 --limit 1.00 --restart --json`: whether budgets hold while everybody asks at once. Exit 1
 * where something does not hold; `problems` says what.
 */
import { parseArgs } from "node:util";
import { race } from "./race.ts";

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "4" },
    parallel: { type: "string", default: "100" },
    limit: { type: "string", default: "1.00" },
    requests: { type: "string", default: "1200" },
    restart: { type: "boolean", default: false },
    kills: { type: "string" },
    seed: { type: "string", default: "1" },
    "no-overruns": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const number = (text: string) => (/^\d{1,6}$/.test(text) ? Number(text) : Number.NaN);
const wishes = {
  keys: number(values.keys),
  parallel: number(values.parallel),
  limit: values.limit,
  requests: number(values.requests),
  kills: values.kills === undefined ? (values.restart ? 2 : 0) : number(values.kills),
  seed: number(values.seed),
  overruns: !values["no-overruns"],
};
const figures = [wishes.keys, wishes.parallel, wishes.requests, wishes.kills, wishes.seed];
if (figures.some(Number.isNaN) || wishes.keys < 1 || !/^\d{1,4}(\.\d{1,6})?$/.test(wishes.limit)) {
  console.error(
    "usage: npm run -s race -- [--keys 4] [--parallel 100] [--limit 1.00] [--requests 1200] [--restart | --kills 2] [--seed 1] [--no-overruns] [--json]",
  );
  process.exit(2);
}

const result = await race(wishes, (line) => console.error(line));
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.log(
    `spent + held at most $${result.maxSpentPlusHeld} of $${result.limit}; with overruns $${result.maxWithOverruns}`,
  );
  console.log(`${result.upstreamHits} calls, ${result.settledRows} rows settled, ${result.refusals} refused`);
  console.log(`${result.overruns.rows} overruns of $${result.overruns.usd}, ${result.interruptedRows} interrupted`);
  for (const problem of result.problems) console.log(`DOES NOT HOLD: ${problem}`);
}
process.exit(result.problems.length === 0 ? 0 : 1);

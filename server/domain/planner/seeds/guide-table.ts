/** The deployment guide's table of costs over users (section 6), against its own formula. Pure. */
import { type GpuSteps, gpusBySteps } from "../capacity.ts";
import { monthOf } from "../demand.ts";
import { ratio } from "../ratio.ts";
import { apiMonth, demandFor, gpuMonth } from "./guide-inputs.ts";
import { ends, figuresOf, is } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

interface Row {
  readonly line: number;
  readonly users: number;
  readonly queries: number;
  readonly gpus: number;
  readonly ownUsd: number;
  readonly gpt4Usd: number;
  readonly gpt35Usd: number;
}

const rows: readonly Row[] = [
  { line: 345, users: 10, queries: 6000, gpus: 1, ownUsd: 850, gpt4Usd: 248, gpt35Usd: 54 },
  { line: 346, users: 50, queries: 30_000, gpus: 2, ownUsd: 1700, gpt4Usd: 1240, gpt35Usd: 271 },
  { line: 347, users: 100, queries: 60_000, gpus: 3, ownUsd: 2700, gpt4Usd: 2480, gpt35Usd: 542 },
  { line: 348, users: 500, queries: 300_000, gpus: 8, ownUsd: 8500, gpt4Usd: 12_400, gpt35Usd: 2710 },
  { line: 349, users: 1000, queries: 600_000, gpus: 15, ownUsd: 15_500, gpt4Usd: 24_800, gpt35Usd: 5420 },
  { line: 350, users: 10_000, queries: 6_000_000, gpus: 100, ownUsd: 110_000, gpt4Usd: 248_000, gpt35Usd: 54_200 },
];

/** Section 8, lines 445 to 449; the last step is 8 to 10, and its upper end. */
const steps: GpuSteps = Object.freeze([
  [50, 1],
  [150, 2],
  [300, 3],
  [500, 5],
  [1000, 10],
]);

const table = figuresOf("guide", "6. Cost Calculation Framework, Scaling Calculator");
const formula =
  "the guide's own formula (line 332 and on): tokens, and 500 dollars a month that do not grow with users; the table multiplies them too";

export const tableFigures: readonly SeedFigure[] = rows.flatMap((row): SeedFigure[] => {
  const { line, users } = row;
  const bySteps = gpusBySteps(users, steps);
  // Steps meet: 50 users stand at the end of one and at the beginning of the next.
  const fromSteps =
    bySteps === null ? null : () => ends(ratio(bySteps), ratio(gpusBySteps(users + 1, steps) ?? bySteps));
  return [
    table(
      line,
      `queries of ${users} users`,
      "count",
      is(row.queries),
      () => monthOf(demandFor(users)).queries,
      "20 a day for 30 days",
    ),
    table(
      line,
      `GPUs of ${users} users, against section 8`,
      "count",
      is(row.gpus),
      fromSteps,
      bySteps === null ? "section 8 ends at 1,000 users" : "the list of lines 445 to 449",
    ),
    table(
      line,
      `open-source, ${users} users`,
      "usd",
      is(row.ownUsd),
      () => gpuMonth(row.gpus),
      "the guide's own formula (lines 325 and 326) with the table's GPUs on a g4dn.2xlarge; which machine the table has it does not say",
    ),
    table(line, `GPT-4, ${users} users`, "usd", is(row.gpt4Usd), () => apiMonth(users, "gpt-4"), formula),
    table(line, `GPT-3.5, ${users} users`, "usd", is(row.gpt35Usd), () => apiMonth(users, "gpt-3.5-turbo"), formula),
  ];
});

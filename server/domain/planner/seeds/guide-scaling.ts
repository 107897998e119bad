/** The figures of the deployment guide, sections 6 to 8: the table over users, break-even, quality, scaling. Pure. */
import { breakEven } from "../break-even.ts";
import { gpusBySteps, type GpuSteps } from "../capacity.ts";
import { percentBelow } from "../effects.ts";
import { costPerPoint } from "../quality.ts";
import { monthOf } from "../demand.ts";
import { azureInstances } from "../instances/clouds.ts";
import { minus, over, percent, plus, type Ratio, ratio, times, usd } from "../ratio.ts";
import { tokenCost } from "../token-cost.ts";
import {
  apiFixed,
  apiMonth,
  demandFor,
  gpuMonth,
  guideRates,
  hosting,
  monthOfMachine,
  usersOfExample,
} from "./guide-inputs.ts";
import { ends, figuresOf, is, range } from "./said.ts";
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

const tableFigures = rows.flatMap((row): SeedFigure[] => {
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

const even = figuresOf("guide", "6. Cost Calculation Framework, Break-Even Analysis");
const found = () =>
  breakEven({ demand: demandFor(1), rates: guideRates("gpt-4"), fixed: apiFixed, hosting, upTo: 10_000 });
const evenFigures: readonly SeedFigure[] = [
  even(
    373,
    "saved at 500 users",
    "usd",
    is(3900),
    () => minus(usd(12_400), usd(8500)),
    "12,400 - 8,500, both the table's",
  ),
  even(
    373,
    "cheaper at 500 users",
    "percent",
    is(46),
    () => percentBelow(usd(12_400), usd(8500)),
    "3,900 of 12,400; 46 % is 3,900 of 8,500, the wrong way round",
  ),
  even(
    373,
    "cheaper at 500 users, by the formulas",
    "percent",
    is(46),
    () => percentBelow(apiMonth(500, "gpt-4"), gpuMonth(8)),
    "10,400 by API and 6,492 on 8 GPUs",
  ),
  even(
    378,
    "saved at 1,000 users",
    "usd",
    is(9300),
    () => minus(usd(24_800), usd(15_500)),
    "24,800 - 15,500, both the table's",
  ),
  even(
    378,
    "cheaper at 1,000 users",
    "percent",
    is(60),
    () => percentBelow(usd(24_800), usd(15_500)),
    "9,300 of 24,800; 60 % is 9,300 of 15,500, the wrong way round",
  ),
  even(
    378,
    "cheaper at 1,000 users, by the formulas",
    "percent",
    is(60),
    () => percentBelow(apiMonth(1000, "gpt-4"), gpuMonth(15)),
    "20,300 by API and 11,734 on 15 GPUs",
  ),
  even(
    383,
    "break-even zone with GPT-4, users",
    "count",
    range(50, 100),
    () => ratio(found().alwaysFrom ?? 0),
    "our lines for good from there on; the table itself has the API cheaper at 100",
  ),
];

const quality = figuresOf("guide", "7. Quality vs Cost Analysis");
const pointFigures: readonly SeedFigure[] = (
  [
    [413, "GPT-4", 30_000, 95, 316],
    [414, "Claude Opus", 32_000, 94, 340],
    [415, "Mixtral 8x7B", 28_000, 87, 322],
    [416, "Mistral 7B", 23_000, 84, 274],
    [417, "GPT-3.5-Turbo", 6500, 78, 83],
  ] as const
).map(([line, name, yearUsd, score, said]) =>
  quality(
    line,
    `${name}, a point a year`,
    "usd",
    is(said),
    () => costPerPoint(usd(yearUsd), score),
    `${yearUsd} over ${score}`,
  ),
);

const scaling = figuresOf("guide", "8. Scaling Strategies");
const shareOfTokens = (part: Ratio) => times(tokenCost(demandFor(usersOfExample), guideRates("gpt-4")), part);
const scalingFigures: readonly SeedFigure[] = [
  scaling(
    468,
    "V100, a month, against section 4",
    "usd",
    is(2200),
    () => monthOfMachine(azureInstances.rows.find(({ name }) => name === "NC6s_v3")),
    "NC6s_v3 for 730 hours",
  ),
  scaling(
    488,
    "shares of the three models",
    "percent",
    is(100),
    () => plus(ratio(70), ratio(20), ratio(10)),
    "70, 20 and 10",
  ),
  scaling(
    498,
    "saved by routing to smaller models",
    "percent",
    range(30, 50),
    null,
    "what the three models cost is not given",
  ),
  scaling(
    518,
    "80 % of the queries on one's own",
    "usd",
    is(2000),
    () => times(usd(2700), percent(80)),
    "80 % of the 2,700 of section 5; GPUs come whole, so less is saved than that",
  ),
  scaling(
    519,
    "20 % of the queries by API",
    "usd",
    is(500),
    () => shareOfTokens(percent(20)),
    "20 % of the 1,980 dollars of tokens; 500 is 20 % of the fixed costs as well",
  ),
  scaling(
    520,
    "both together",
    "usd",
    is(2500),
    () => plus(usd(2000), usd(500)),
    "its two lines; that is dearer than the 2,480 all by API beside it",
  ),
];

const take = figuresOf("guide", "12. Conclusion");
const better = (score: number, than: number) => ratio((score - than) * 100, than);
const takeFigures: readonly SeedFigure[] = [
  take(
    825,
    "crossover with GPT-4, users",
    "count",
    range(50, 200),
    () => ratio(found().alwaysFrom ?? 0),
    "our lines, for good from there on; with GPT-3.5 they never cross",
  ),
  take(828, "premium better than GPT-3.5", "percent", is(20, 5), () => better(95, 78), "95 against 78"),
  take(
    828,
    "premium dearer than GPT-3.5",
    "times",
    range(2, 4),
    () => over(apiMonth(usersOfExample, "gpt-4"), apiMonth(usersOfExample, "gpt-3.5-turbo")),
    "2,480 over 542; of tokens alone 47 times",
  ),
  take(829, "Mistral, quality of GPT-4", "percent", is(90, 5), () => ratio(84 * 100, 95), "84 of 95"),
  take(
    829,
    "Mistral cheaper than GPT-4",
    "percent",
    range(30, 50),
    () => percentBelow(usd(30_000), usd(23_000)),
    "23,000 against 30,000 a year, section 7",
  ),
  take(830, "GPT-3.5, quality of GPT-4", "percent", is(80, 5), () => ratio(78 * 100, 95), "78 of 95"),
  take(
    830,
    "GPT-3.5 cheaper than GPT-4",
    "percent",
    is(90),
    () => percentBelow(apiMonth(usersOfExample, "gpt-4"), apiMonth(usersOfExample, "gpt-3.5-turbo")),
    "542 against 2,480; of tokens alone 98 %",
  ),
  figuresOf("guide", "9. Decision Framework")(
    548,
    "Mistral, cost of GPT-4",
    "percent",
    is(80),
    () => ratio(23_000 * 100, 30_000),
    "23,000 of 30,000 a year, section 7",
  ),
  figuresOf("guide", "9. Decision Framework")(
    548,
    "Mistral, quality of GPT-4, in the tree",
    "percent",
    is(90, 5),
    () => ratio(84 * 100, 95),
    "84 of 95",
  ),
];

export const guideScalingFigures: readonly SeedFigure[] = Object.freeze([
  ...tableFigures,
  ...evenFigures,
  ...pointFigures,
  ...scalingFigures,
  ...takeFigures,
]);

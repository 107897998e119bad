/** The figures of the deployment guide, sections 6 to 8: the table over users, break-even, quality, scaling. Pure. */
import { breakEven } from "../break-even.ts";
import { percentBelow } from "../effects.ts";
import { costPerPoint } from "../quality.ts";
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
import { tableFigures } from "./guide-table.ts";
import { figuresOf, is, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

const even = figuresOf("guide", "6. Cost Calculation Framework, Break-Even Analysis");
const found = () =>
  breakEven({ demand: demandFor(1), rates: guideRates("gpt-4"), fixed: apiFixed, hosting, upTo: 10_000 });
const firstUsers = () => ratio(found().crossings[0]?.users ?? 0);
/** The table's figures again, where the text compares them. */
const repeated = (
  [
    [366, 100, 3, 2700, 2480],
    [371, 500, 8, 8500, 12_400],
    [376, 1000, 15, 15_500, 24_800],
  ] as const
).flatMap(([line, users, gpus, ownUsd, apiUsd]): SeedFigure[] => [
  even(
    line,
    `open-source at ${users} users`,
    "usd",
    is(ownUsd),
    () => gpuMonth(gpus),
    "by the formula, as in the table",
  ),
  even(
    line + 1,
    `GPT-4 at ${users} users`,
    "usd",
    is(apiUsd),
    () => apiMonth(users, "gpt-4"),
    "by the formula, as in the table",
  ),
]);
const evenFigures: readonly SeedFigure[] = [
  even(
    362,
    "fixed cost of three GPUs",
    "usd",
    is(1900),
    () => times(usd(550), ratio(3)),
    "3 × 550; 1,900 is all of section 5's infrastructure",
  ),
  ...repeated,
  even(
    382,
    "users below which an API is cheaper",
    "count",
    is(50, 0),
    firstUsers,
    "our lines' first crossing with GPT-4, on one GPU",
  ),
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

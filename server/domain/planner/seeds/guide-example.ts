/** The figures of the deployment guide, sections 1 to 5: totals over years, machines by the month, the example of 100 users. Pure. */
import { weightBytes } from "../capacity.ts";
import { monthOf } from "../demand.ts";
import { afterDiscount, percentBelow } from "../effects.ts";
import { alibabaInstances, awsInstances, azureInstances, gcpInstances } from "../instances/clouds.ts";
import type { InstanceRow } from "../instances/instance.ts";
import { apiCost } from "../option.ts";
import { minus, over, plus, type Ratio, ratio, times, usd } from "../ratio.ts";
import { costOfTokens, type TokenRates } from "../token-cost.ts";
import { apiFixed, apiMonth, demandFor, guideRates, monthOfMachine, usersOfExample } from "./guide-inputs.ts";
import { ends, figuresOf, is, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

const months = (value: Ratio, count: number) => times(value, ratio(count));
const sumUsd = (...amounts: readonly number[]) => plus(...amounts.map(usd));

const summary = figuresOf("guide", "1. Executive Summary");
/** Line, name, a month's least and most, a year's, three years'. */
const overYears: readonly (readonly [
  number,
  string,
  readonly [number, number],
  readonly [number, number],
  readonly [number, number],
])[] = [
  [40, "open-source", [1500, 2500], [18_000, 30_000], [54_000, 90_000]],
  [41, "GPT-4", [2000, 2500], [24_000, 30_000], [72_000, 90_000]],
  [42, "GPT-3.5", [50, 600], [600, 7200], [1800, 21_600]],
  [43, "hybrid", [1800, 3000], [21_600, 36_000], [64_800, 108_000]],
];

const totals = overYears.flatMap(([line, name, [low, high], year, threeYears]): SeedFigure[] => [
  summary(
    line,
    `${name}, a year`,
    "usd",
    range(...year),
    () => ends(months(usd(low), 12), months(usd(high), 12)),
    "12 months",
  ),
  summary(
    line,
    `${name}, three years`,
    "usd",
    range(...threeYears),
    () => ends(months(usd(low), 36), months(usd(high), 36)),
    "36 months",
  ),
]);

const selfHosted = () => sumUsd(...infrastructureUsd, ...operationsUsd);
const infrastructureUsd: readonly number[] = [1650, 110, 25, 15, 60, 40];
const operationsUsd: readonly number[] = [500, 200, 100];

const inSummary: readonly SeedFigure[] = [
  summary(
    36,
    "queries a month of 100 users",
    "count",
    is(60_000),
    () => monthOf(demandFor(usersOfExample)).queries,
    "100 × 20 × 30",
  ),
  summary(
    40,
    "open-source, a month, against its own example",
    "usd",
    range(1500, 2500),
    selfHosted,
    "section 5 comes to 2,700 for the same 100 users",
  ),
  summary(
    41,
    "GPT-4, a month, against its own example",
    "usd",
    range(2000, 2500),
    () => apiMonth(usersOfExample, "gpt-4"),
    "tokens, 300 and 200 dollars",
  ),
  summary(
    42,
    "GPT-3.5, a month, against its own example",
    "usd",
    range(50, 600),
    () => apiMonth(usersOfExample, "gpt-3.5-turbo"),
    "tokens, 300 and 200 dollars",
  ),
];

const options = figuresOf("guide", "4. Infrastructure Options");

function machine(line: number, rows: readonly InstanceRow[], name: string, monthUsd: number): SeedFigure {
  const row = rows.find((one) => one.name === name);
  return options(line, `${name}, a month`, "usd", is(monthUsd), () => monthOfMachine(row), "730 hours");
}

const machines: readonly SeedFigure[] = [
  machine(157, awsInstances.rows, "g4dn.xlarge", 384),
  machine(158, awsInstances.rows, "g4dn.2xlarge", 549),
  machine(159, awsInstances.rows, "g5.xlarge", 734),
  machine(160, azureInstances.rows, "NC6s_v3", 2234),
  machine(161, azureInstances.rows, "NC4as_T4_v3", 384),
  machine(162, gcpInstances.rows, "n1-standard-4+T4", 475),
  machine(163, alibabaInstances.rows, "ecs.gn6v-c8g1.2xlarge", 621),
  machine(171, awsInstances.rows, "t3.medium", 30),
  machine(172, awsInstances.rows, "t3.xlarge", 121),
  machine(173, azureInstances.rows, "B2s", 31),
  machine(174, gcpInstances.rows, "n1-standard-2", 69),
  machine(175, alibabaInstances.rows, "ecs.g6.large", 66),
];

const atHalf = (billions: number) => ratio(weightBytes(billions * 1e9, 16), 1e9);
const memories: readonly SeedFigure[] = (
  [
    [181, "1-3B", [4, 8], [1, 3]],
    [182, "7-8B", [14, 16], [7, 8]],
    [183, "13-20B", [26, 40], [13, 20]],
    [184, "30-40B", [60, 80], [30, 40]],
    [185, "70B", [140, 140], [70, 70]],
  ] as const
).map(([line, name, [low, high], [least, most]]) =>
  options(
    line,
    `memory of ${name}`,
    "gb",
    range(low, high),
    () => ends(atHalf(least), atHalf(most)),
    "16 bits a parameter, weights alone",
  ),
);

const example = figuresOf("guide", "5. Cost Models, self-hosted");
const reserved = () => afterDiscount(selfHosted(), 30);
const breakdown: readonly SeedFigure[] = [
  options(
    187,
    "memory saved by 8 and 4 bits",
    "percent",
    range(50, 75),
    () => ends(percentBelow(ratio(16), ratio(8)), percentBelow(ratio(16), ratio(4))),
    "instead of 16",
  ),
  example(223, "three machines", "usd", is(1650), () => months(usd(550), 3), "3 × 550"),
  example(
    223,
    "one machine, against section 4",
    "usd",
    is(550),
    () => monthOfMachine(awsInstances.rows.find(({ name }) => name === "g4dn.2xlarge")),
    "g4dn.2xlarge for 730 hours, rounded up by the guide",
  ),
  example(230, "infrastructure", "usd", is(1900), () => sumUsd(...infrastructureUsd), "the six lines above it"),
  example(239, "operations", "usd", is(800), () => sumUsd(...operationsUsd), "the three lines above it"),
  example(242, "a month", "usd", is(2700), selfHosted, "infrastructure and operations"),
  example(242, "a year", "usd", is(32_400), () => months(selfHosted(), 12), "12 months"),
  example(
    245,
    "a month with reserved instances",
    "usd",
    is(1890),
    reserved,
    "30 % off everything, people's time included",
  ),
  example(
    245,
    "a month, reserved, discount on the machines alone",
    "usd",
    is(1890),
    () => minus(selfHosted(), minus(months(usd(550), 3), afterDiscount(months(usd(550), 3), 30))),
    "30 % off the three machines: nobody reserves an engineer or a load balancer",
  ),
  example(245, "a year with reserved instances", "usd", is(22_680), () => months(reserved(), 12), "12 months"),
];

const api = figuresOf("guide", "5. Cost Models, API");
const month = () => monthOf(demandFor(usersOfExample));
const gpt4 = () => guideRates("gpt-4");
const gpt35 = () => guideRates("gpt-3.5-turbo");
const tokensOf = (rates: TokenRates) => apiCost(demandFor(usersOfExample), rates, apiFixed).tokens;
const million = ratio(1_000_000);
const apis: readonly SeedFigure[] = [
  api(263, "queries a day", "count", is(2000), () => month().queriesPerDay, "100 × 20"),
  api(264, "queries a month", "count", is(60_000), () => month().queries, "30 days"),
  api(
    269,
    "tokens of a query",
    "tokens",
    is(800),
    () => over(plus(month().promptTokens, month().completionTokens), month().queries),
    "500 and 300",
  ),
  api(272, "million tokens in", "count", is(30), () => over(month().promptTokens, million), "60,000 × 500"),
  api(273, "million tokens out", "count", is(18), () => over(month().completionTokens, million), "60,000 × 300"),
  api(
    278,
    "GPT-4, tokens in",
    "usd",
    is(900),
    () => costOfTokens(month().promptTokens, gpt4().prompt),
    "at 0.03 dollars a thousand",
  ),
  api(
    279,
    "GPT-4, tokens out",
    "usd",
    is(1080),
    () => costOfTokens(month().completionTokens, gpt4().completion),
    "at 0.06 dollars a thousand",
  ),
  api(281, "GPT-4, all tokens", "usd", is(1980), () => tokensOf(gpt4()), "their sum"),
  api(286, "GPT-4, a month", "usd", is(2480), () => apiMonth(usersOfExample, "gpt-4"), "and 300 and 200 dollars"),
  api(286, "GPT-4, a year", "usd", is(29_760), () => months(apiMonth(usersOfExample, "gpt-4"), 12), "12 months"),
  api(
    291,
    "GPT-3.5, tokens in",
    "usd",
    is(15),
    () => costOfTokens(month().promptTokens, gpt35().prompt),
    "at 0.0005 dollars a thousand",
  ),
  api(
    292,
    "GPT-3.5, tokens out",
    "usd",
    is(27),
    () => costOfTokens(month().completionTokens, gpt35().completion),
    "at 0.0015 dollars a thousand",
  ),
  api(294, "GPT-3.5, all tokens", "usd", is(42), () => tokensOf(gpt35()), "their sum"),
  api(
    299,
    "GPT-3.5, a month",
    "usd",
    is(542),
    () => apiMonth(usersOfExample, "gpt-3.5-turbo"),
    "and 300 and 200 dollars",
  ),
  api(
    299,
    "GPT-3.5, a year",
    "usd",
    is(6504),
    () => months(apiMonth(usersOfExample, "gpt-3.5-turbo"), 12),
    "12 months",
  ),
];

export const guideExampleFigures: readonly SeedFigure[] = Object.freeze([
  ...inSummary,
  ...totals,
  ...machines,
  ...memories,
  ...breakdown,
  ...apis,
]);

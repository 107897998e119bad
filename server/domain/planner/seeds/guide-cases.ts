/** The figures of the deployment guide, sections 9 to 12: scenarios, case studies, good practice. Pure. */
import { gpusToHold } from "../capacity.ts";
import { afterCache, afterDiscount, eachOfBatch, percentBelow } from "../effects.ts";
import { azureInstances } from "../instances/clouds.ts";
import { plus, type Ratio, ratio, times, usd, percent } from "../ratio.ts";
import { tokenCost } from "../token-cost.ts";
import { apiMonth, demandFor, guideRates, monthOfMachine } from "./guide-inputs.ts";
import { figuresOf, is, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

/** So many queries of the guide's usual size (500 tokens in, 300 out), tokens alone. */
function queriesAt(count: number, model: "gpt-4" | "gpt-3.5-turbo"): Ratio {
  const one = { ...demandFor(1), queriesPerUserDay: count, daysPerMonth: 1 };
  return tokenCost(one, guideRates(model));
}

const scenario = figuresOf("guide", "9. Decision Framework, Common Scenarios");
const scenarios: readonly SeedFigure[] = [
  scenario(
    595,
    "50 users with GPT-3.5",
    "usd",
    is(300),
    () => apiMonth(50, "gpt-3.5-turbo"),
    "by the guide's own formula; its table has 271",
  ),
  scenario(
    608,
    "200 users on Llama 3 70B",
    "usd",
    is(5000),
    () => times(usd(3000), ratio(gpusToHold(140, 40))),
    "140 GB are four A100 of 40 GB (line 185) at 3,000 dollars each (line 468), before anybody's time",
  ),
  scenario(
    621,
    "1,000 users, Mistral 7B and GPT-4",
    "usd",
    is(18_000),
    () => plus(times(usd(15_500), percent(80)), times(apiTokens(1000), percent(20))),
    "80 % of the table's 15,500 and 20 % of GPT-4's tokens, as in pattern 3; the scenario names no shares",
  ),
];

function apiTokens(users: number): Ratio {
  return tokenCost(demandFor(users), guideRates("gpt-4"));
}

const support = figuresOf("guide", "10. Case Studies, Customer Support Chatbot");
const perDay = ratio(50_000);
const queriesPerMonth = () => times(perDay, ratio(30));
const first = () => plus(usd(750), usd(500));
const hybrid = () => plus(usd(3500), usd(600));
const supportFigures: readonly SeedFigure[] = [
  support(637, "queries a month", "count", is(1_500_000), queriesPerMonth, "50,000 × 30"),
  support(
    638,
    "GPT-3.5 for all of them",
    "usd",
    is(750),
    () => queriesAt(1_500_000, "gpt-3.5-turbo"),
    "at 500 tokens in and 300 out each; the case names no size",
  ),
  support(638, "a month", "usd", is(1250), first, "750 and 500"),
  support(646, "queries answered locally", "count", is(1_200_000), () => times(queriesPerMonth(), percent(80)), "80 %"),
  support(646, "queries by API", "count", is(300_000), () => times(queriesPerMonth(), percent(20)), "20 %"),
  support(
    647,
    "GPT-4 for those",
    "usd",
    is(600),
    () => queriesAt(300_000, "gpt-4"),
    "300,000 at the 0.033 dollars a query that its own prices give",
  ),
  support(647, "hybrid, a month", "usd", is(4100), hybrid, "3,500 and 600"),
  support(
    652,
    "by API at three times the queries",
    "usd",
    is(3750),
    () => times(first(), ratio(3)),
    "three times 1,250",
  ),
  support(
    652,
    "by API at the original volume",
    "usd",
    is(3750),
    first,
    "the same line calls 3,750 the cost of the original volume, which line 638 has at 1,250",
  ),
  support(
    653,
    "by API at 1.5 M queries",
    "usd",
    is(11_250),
    first,
    "1.5 M queries are the original volume of line 637, at 1,250 dollars: tripled twice",
  ),
  support(654, "saved a month", "usd", is(7150), () => plus(usd(11_250), times(hybrid(), ratio(-1))), "11,250 - 4,100"),
  support(654, "saved", "percent", is(64), () => percentBelow(usd(11_250), hybrid()), "7,150 of 11,250"),
  support(
    654,
    "saved, against line 638",
    "percent",
    is(64),
    () => percentBelow(first(), hybrid()),
    "the same 1.5 M queries cost 1,250 dollars by API: the hybrid is more than three times as dear",
  ),
];

const legal = figuresOf("guide", "10. Case Studies, Legal Document Analysis");
const tutor = figuresOf("guide", "10. Case Studies, Educational AI Tutor");
const v100 = azureInstances.rows.find(({ name }) => name === "NC6s_v3");
const otherCases: readonly SeedFigure[] = [
  legal(669, "two V100", "usd", is(4500), () => times(monthOfMachine(v100), ratio(2)), "2 × NC6s_v3 for 730 hours"),
  legal(676, "GPT-4 for 2,000 documents", "usd", is(2000), null, "the size of a document is not given"),
  ...(
    [
      [695, "500 students on GPT-3.5", 200],
      [701, "2,000 students, hybrid", 1200],
      [707, "10,000 students, self-hosted", 3800],
      [710, "10,000 students by API", 8500],
    ] as const
  ).map(([line, name, month]) => tutor(line, name, "usd", is(month), null, "what a student asks is not given")),
  tutor(711, "saved a month", "usd", is(4700), () => plus(usd(8500), usd(-3800)), "8,500 - 3,800"),
  tutor(711, "saved", "percent", is(55), () => percentBelow(usd(8500), usd(3800)), "4,700 of 8,500"),
];

const practice = figuresOf("guide", "11. Best Practices");
/** GPT-4, the guide's usual answer, and a prompt of so many tokens. */
const withContext = (promptTokens: number) => tokenCost({ ...demandFor(1), promptTokens }, guideRates("gpt-4"));
const practices: readonly SeedFigure[] = [
  practice(729, "reserved for one year", "usd", is(1400), () => afterDiscount(usd(2000), 30), "30 % off 2,000"),
  practice(729, "reserved for three years", "usd", is(1000), () => afterDiscount(usd(2000), 50), "50 % off 2,000"),
  practice(
    738,
    "compute saved by a cache",
    "percent",
    is(40),
    () => percentBelow(usd(1), afterCache(usd(1), 40)),
    "40 % of the queries are not computed",
  ),
  practice(762, "a query of a batch", "ms", is(15), () => eachOfBatch(150, 10), "150 ms over 10"),
  practice(
    762,
    "saved by batching",
    "percent",
    is(85),
    () => percentBelow(ratio(100), eachOfBatch(150, 10)),
    "15 of 100 ms",
  ),
  practice(
    786,
    "prompt tokens saved by a shorter context",
    "percent",
    is(75),
    () => percentBelow(ratio(8000), ratio(2000)),
    "2,000 of 8,000 tokens",
  ),
  practice(
    786,
    "cost saved by a shorter context",
    "percent",
    is(75),
    () => percentBelow(withContext(8000), withContext(2000)),
    "the answer costs as much as before: with GPT-4 and 300 tokens of answer less is saved",
  ),
];

const ending = figuresOf("guide", "12. Conclusion");
const advice: readonly SeedFigure[] = [
  ending(864, "phase 1, a month by API", "usd", range(500, 2000), null, "no users are given"),
  ending(
    885,
    "below 50 users, GPT-3.5",
    "usd",
    range(300, 500),
    () => apiMonth(50, "gpt-3.5-turbo"),
    "by the guide's own formula at 50 users",
  ),
  ending(892, "50 to 500 users, hybrid", "usd", range(2000, 8000), null, "no shares are given"),
  ending(
    899,
    "above 500 users, self-hosted",
    "usd",
    range(8000, 50_000),
    () => usd(8500),
    "its table begins at 8,500 for 500 users",
  ),
];

export const guideCaseFigures: readonly SeedFigure[] = Object.freeze([
  ...scenarios,
  ...supportFigures,
  ...otherCases,
  ...practices,
  ...advice,
]);

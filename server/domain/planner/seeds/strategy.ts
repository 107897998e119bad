/** The figures of "LLM Infrastructure Strategy". Its inputs as data, its results computed. Pure. */
import { breakEvenTokens } from "../break-even.ts";
import { weightBytes } from "../capacity.ts";
import { afterDiscount, percentBelow } from "../effects.ts";
import { awsInstances } from "../instances/clouds.ts";
import { over, plus, type Ratio, ratio, times, usd } from "../ratio.ts";
import { costOfTokens } from "../token-cost.ts";
import { ends, figuresOf, is, orLess, orMore, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

const cost = figuresOf("strategy", "Cost Analysis");
const summary = figuresOf("strategy", "Summary");
const options = figuresOf("strategy", "Infrastructure Options");
const phases = figuresOf("strategy", "Hybrid Architecture");

/** A month, in millions. The split is not in the paper: it is the only one that gives both of its Claude figures. */
const tokens = Object.freeze({ all: 342, prompt: 170, completion: 172 });
/** Pico-USD per token: Claude Sonnet 4.5 and Haiku 4.5. */
const sonnet = Object.freeze({ prompt: 3_000_000, completion: 15_000_000, cached: 300_000 });
const haiku = Object.freeze({ prompt: 1_000_000, completion: 5_000_000 });
const million = ratio(1_000_000);

function monthAt(rates: { readonly prompt: number; readonly completion: number }): Ratio {
  return plus(
    costOfTokens(times(ratio(tokens.prompt), million), rates.prompt),
    costOfTokens(times(ratio(tokens.completion), million), rates.completion),
  );
}

/** US dollars per million, all tokens alike. */
function monthAtFlat(usdPerMillion: number): Ratio {
  return times(usd(usdPerMillion), ratio(tokens.all));
}

const hours = ratio(730);
const overheadUsd = 500;
/** As this paper rounds them, US dollars an hour. */
const hourly = Object.freeze({ g5: 1, p4d: 22 });
const g6 = ratio(awsInstances.rows.find(({ name }) => name === "g6.xlarge")?.hourNanosLow ?? 0);
const sevenB = () => plus(times(usd(hourly.g5), hours), usd(overheadUsd));
const perMillion = (month: Ratio) => over(month, ratio(tokens.all));
const inMillions = (count: Ratio) => over(count, million);

export const strategyFigures: readonly SeedFigure[] = Object.freeze([
  summary(7, "savings of a hybrid architecture", "percent", range(30, 50), null, "no workload and no shares are given"),
  summary(
    10,
    "optimized Claude against the table's least and most",
    "usd",
    range(1500, 3000),
    () => ends(afterDiscount(monthAt(sonnet), 50), monthAt(sonnet)),
    "all as a batch, and all at list price",
  ),
  summary(
    7,
    "gap of Qwen2.5-Coder-32B on HumanEval",
    "percent",
    range(2, 10),
    () => ratio(92 - 90),
    "92 - 90 points, as its own table has them",
  ),
  summary(
    7,
    "gap of DeepSeek-V3 on SWE-bench",
    "percent",
    range(2, 10),
    () => ends(ratio(49 - 20), ratio(49 - 15)),
    "49 less 15 to 20 points: its own table has a gap three to seventeen times as wide",
  ),
  options(
    82,
    "memory saved by 4-bit weights",
    "percent",
    is(75),
    () => percentBelow(ratio(16), ratio(4)),
    "4 bits instead of 16",
  ),
  options(
    82,
    "memory of 34B in INT4 on a 24 GB card",
    "gb",
    orLess(24),
    () => ratio(weightBytes(34e9, 4), 1e9),
    "weights alone: 4 bits each",
  ),
  cost(
    92,
    "Claude Sonnet 4.5",
    "usd",
    is(3090),
    () => monthAt(sonnet),
    "170 M in and 172 M out at 3 and 15 dollars a million; the paper names only the sum of 342 M",
  ),
  cost(93, "Claude Sonnet 4.5 as a batch", "usd", is(1545), () => afterDiscount(monthAt(sonnet), 50), "half of it"),
  cost(94, "Claude Haiku 4.5", "usd", is(1030), () => monthAt(haiku), "the same tokens at 1 and 5 dollars a million"),
  cost(95, "optimized mix", "usd", is(1650), null, "the shares of Haiku and Sonnet are not given"),
  cost(
    96,
    "self-hosted 7B, g5.xlarge without overhead",
    "usd",
    is(730),
    () => times(usd(hourly.g5), hours),
    "730 hours at 1.00 dollar",
  ),
  cost(96, "self-hosted 7B with overhead", "usd", is(1230), sevenB, "and 500 dollars"),
  cost(
    96,
    "self-hosted 7B on the cheaper g6.xlarge",
    "usd",
    is(730),
    () => times(g6, hours),
    "730 hours at the 0.80 dollars of line 76: its range begins lower than it says",
  ),
  cost(
    97,
    "self-hosted 70B",
    "usd",
    orMore(25_000),
    () => times(usd(hourly.p4d), hours),
    "730 hours at 22 dollars; the overhead that would make it 25,000 (8,940 dollars) is not derived anywhere",
  ),
  cost(
    98,
    "Together AI, Llama 70B",
    "usd",
    is(590),
    () => ends(monthAtFlat(0.18), monthAtFlat(0.88)),
    "342 M tokens at the 0.18 to 0.88 dollars a million of line 12",
  ),
  cost(99, "DeepInfra, Llama 70B", "usd", is(108), () => ends(monthAtFlat(0.18), monthAtFlat(0.88)), "the same range"),
  cost(101, "self-hosted 7B including overhead", "usd", is(1230), sevenB, "as line 96"),
  cost(
    101,
    "break-even, million tokens, with Claude Haiku",
    "count",
    is(703),
    () => inMillions(breakEvenTokens(sevenB(), perMillion(monthAt(haiku)))),
    "1,230 dollars over the 3.01 dollars a million that its own Haiku line comes to; 703 M would be 1.75 dollars a million",
  ),
  cost(
    101,
    "break-even, million tokens, with Claude Sonnet",
    "count",
    is(703),
    () => inMillions(breakEvenTokens(sevenB(), perMillion(monthAt(sonnet)))),
    "1,230 dollars over the 9.04 dollars a million of its Sonnet line",
  ),
  cost(
    101,
    "break-even, million tokens, with Together AI",
    "count",
    is(703),
    () => inMillions(breakEvenTokens(sevenB(), perMillion(usd(590)))),
    "1,230 dollars over the 1.73 dollars a million of its Together line, the nearest of all",
  ),
  cost(
    101,
    "break-even over the workload",
    "times",
    is(6),
    () => over(ratio(703), ratio(tokens.all)),
    "703 M over 342 M is about two, not six",
  ),
  phases(107, "efficiency of a cascade", "times", is(16), null, "up to; no inputs"),
  phases(
    119,
    "saved by prompt caching",
    "percent",
    is(90),
    () => percentBelow(ratio(sonnet.prompt), ratio(sonnet.cached)),
    "a cached token of Claude Sonnet 4.5 costs 0.30 instead of 3 dollars a million",
  ),
  phases(
    120,
    "saved by the batch API",
    "percent",
    is(50),
    () => percentBelow(monthAt(sonnet), usd(1545)),
    "1,545 of 3,090 dollars",
  ),
  phases(
    121,
    "target with everything used",
    "usd",
    range(1500, 2000),
    () => usd(1650),
    "its own optimized mix lies in it",
  ),
  phases(
    126,
    "saved by moving the testing agent",
    "percent",
    orMore(80),
    () => percentBelow(monthAt(haiku), usd(108)),
    "the DeepInfra line against the Haiku line",
  ),
  figuresOf("strategy", "Operational Considerations")(
    147,
    "saved by spot instances",
    "percent",
    range(60, 70),
    null,
    "no prices are given",
  ),
]);

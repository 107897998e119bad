/** The figures of "LLM API Providers Comparison for AQE Fleet". Pure. */
import { breakEvenTokens } from "../break-even.ts";
import { percentBelow } from "../effects.ts";
import { over, plus, type Ratio, ratio, times, usd } from "../ratio.ts";
import { deepseekR1, gpt4, gpt4o, groq70b, half, monthly, monthOfMillions, sonnet4 } from "./providers-months.ts";
import { ends, figuresOf, is, orMore, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

const seconds = ratio(3600);
const perHour = (usdPerSecond: number) => times(usd(usdPerSecond), seconds);
const perSecond = (usdPerHour: number) => over(usd(usdPerHour), seconds);

const machines = figuresOf("providers", "Multi-Model API Providers");
const tables = figuresOf("providers", "Cost Comparison Tables");
const hardware: readonly SeedFigure[] = [
  machines(
    124,
    "Groq cheaper than GPT-4o on input",
    "times",
    is(4),
    () => over(ratio(gpt4o().prompt), ratio(groq70b().prompt)),
    "2.50 over 0.59 dollars a million, both from our price book",
  ),
  machines(
    125,
    "Groq cheaper than GPT-4o on output",
    "times",
    is(12, 2),
    () => over(ratio(gpt4o().completion), ratio(groq70b().completion)),
    "10 over 0.79 dollars a million, both from our price book",
  ),
  machines(
    196,
    "Replicate CPU by the hour",
    "usd_per_hour",
    is(0.36, 0),
    () => perHour(0.0001),
    "0.000100 dollars a second, line 202",
  ),
  machines(
    361,
    "Modal B200 by the second",
    "usd_per_second",
    is(0.001736, 0.000001),
    () => perSecond(6.25),
    "6.25 dollars an hour",
  ),
  machines(
    365,
    "Modal L40S by the second",
    "usd_per_second",
    is(0.000542, 0.000001),
    () => perSecond(1.95),
    "1.95 dollars an hour",
  ),
  machines(
    366,
    "idle at which Modal meets reserved",
    "percent",
    is(60),
    null,
    "no reserved price is given; it would be 0.78 dollars an hour",
  ),
  machines(
    368,
    "Modal, general range by the hour",
    "usd_per_hour",
    range(0.5, 3.3),
    () => usd(6.25),
    "its own B200 is nearly twice the range's end",
  ),
  tables(
    844,
    "L40S by the second, again",
    "usd_per_second",
    is(0.000542, 0.000001),
    () => perSecond(1.95),
    "1.95 dollars an hour",
  ),
  tables(
    845,
    "B200 by the second, again",
    "usd_per_second",
    is(0.001736, 0.000001),
    () => perSecond(6.25),
    "6.25 dollars an hour",
  ),
  tables(
    843,
    "T4 by the second, Modal",
    "usd_per_second",
    is(0.000225, 0),
    null,
    "it is Replicate's price of line 203, in a table of Modal's",
  ),
];

const hosting = figuresOf("providers", "Self-Hosted Solutions, vLLM");
const inMillions = (tokens: Ratio) => over(tokens, ratio(1_000_000));
const selfHosting: readonly SeedFigure[] = [
  figuresOf("providers", "Best Coding Models")(
    434,
    "DeepSeek cheaper than GPT-4",
    "percent",
    orMore(90),
    () => percentBelow(monthOfMillions(10, gpt4), monthOfMillions(10, deepseekR1)),
    `${half}, R1 (line 818) against 30 and 60 dollars a million, the deployment guide's GPT-4`,
  ),
  hosting(
    519,
    "break-even of Llama 2 70B, million tokens",
    "count",
    range(30, 50),
    () => inMillions(breakEvenTokens(usd(187), usd(1))),
    "its cheapest self-hosting, 187 dollars a month (line 832), over the 1 dollar a million of Llama 2 70B (line 315)",
  ),
  hosting(
    524,
    "1 to 10 M tokens a day, RTX 4090, months to pay back",
    "months",
    range(6, 12),
    null,
    "no price of the hardware is given",
  ),
  hosting(528, "fintech case, saved", "percent", is(83), () => percentBelow(usd(47_000), usd(8000)), "8,000 of 47,000"),
  figuresOf("providers", "Cost Savings Opportunities")(
    1096,
    "vLLM, saved",
    "percent",
    is(83),
    () => percentBelow(usd(47_000), usd(8000)),
    "the fintech case again",
  ),
];

const tier = figuresOf("providers", "Recommended Architecture");
const outcome = figuresOf("providers", "Expected Outcomes");
/** The middle of a range of dollars. */
const middle = (low: number, high: number) => times(plus(usd(low), usd(high)), ratio(1, 2));
const claude = (millions: number) => times(monthOfMillions(millions, sonnet4), ratio(3, 2));
const claudeOnly = "the middle of its range against the middle of its own Claude Sonnet 4 range";
const outcomes: readonly SeedFigure[] = [
  tier(
    872,
    "shares of the first three tiers",
    "percent",
    is(100, 0),
    () => plus(ratio(80), ratio(10), ratio(10)),
    "80, 10 and 10",
  ),
  tier(
    878,
    "OpenRouter for 50 M tokens",
    "usd",
    range(500, 1500),
    () => ends(usd(250), usd(1000)),
    "its own table (line 858) has 250 to 1,000",
  ),
  outcome(
    1048,
    "month 1, OpenRouter and Groq",
    "usd",
    range(600, 800),
    () => ends(plus(usd(500), usd(100)), plus(usd(1500), usd(300))),
    "lines 878 and 888 add up to 600 to 1,800",
  ),
  outcome(
    1049,
    "month 1, saved against Claude only",
    "percent",
    is(40),
    () => percentBelow(claude(50), middle(600, 800)),
    `${claudeOnly}: 700 against 675 dollars`,
  ),
  outcome(1053, "month 3, million tokens", "count", is(100, 0), () => times(ratio(50), ratio(2)), "doubled"),
  outcome(
    1055,
    "month 3, saved against Claude only",
    "percent",
    is(60),
    () => percentBelow(claude(100), middle(900, 1200)),
    `${claudeOnly}: 1,050 against 1,350 dollars`,
  ),
  outcome(1059, "month 6, million tokens", "count", is(200, 0), () => times(ratio(100), ratio(2)), "doubled again"),
  outcome(
    1061,
    "month 6, saved against Claude only",
    "percent",
    is(70),
    () => percentBelow(claude(200), middle(1500, 2000)),
    `${claudeOnly}, twice that of 100 M: 1,750 against 2,700 dollars`,
  ),
];

export const providersFigures: readonly SeedFigure[] = Object.freeze([
  ...hardware,
  ...monthly,
  ...selfHosting,
  ...outcomes,
]);

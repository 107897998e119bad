/** The figures of "Module 11: Infrastructure for Multi-Agent Systems". Pure. */
import { weightBytes } from "../capacity.ts";
import { inSequence, percentBelow, perMinute, piecesOf, sideBySide } from "../effects.ts";
import { minus, over, plus, ratio, times, usd } from "../ratio.ts";
import { geminiPrices } from "../../pricing/book/gemini.ts";
import { costOfTokens } from "../token-cost.ts";
import { ends, figuresOf, is, orLess, orMore } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

const gigabytes = (billions: number, bits: number) => ratio(weightBytes(billions * 1e9, bits), 1e9);

const balance = figuresOf("lecture", "1. Routing Architecture");
const quantization = figuresOf("lecture", "2. Quantization");
const memory: readonly SeedFigure[] = (
  [
    [322, "FP32", 32, 28],
    [323, "FP16", 16, 14],
    [324, "INT8", 8, 7],
    [325, "INT4", 4, 3.5],
  ] as const
).map(([line, name, bits, said]) =>
  quantization(line, `7B in ${name}`, "gb", is(said, 0), () => gigabytes(7, bits), `${bits} bits a parameter`),
);

const flash = geminiPrices.rows.find(({ model }) => model === "gemini-2.5-flash");
const context = figuresOf("lecture", "2. Context Window");
const local: readonly SeedFigure[] = [
  balance(
    124,
    "weights of two models",
    "percent",
    is(70, 0),
    () => minus(ratio(100), ratio(30)),
    "what 30 leave of 100",
  ),
  balance(
    203,
    "rate limit with three keys",
    "times",
    is(3, 0),
    () => over(perMinute(9, 60), perMinute(3, 60)),
    "3 requests a minute each",
  ),
  balance(214, "share of each of three machines", "percent", is(33), () => ratio(100, 3), "a third"),
  quantization(330, "70B in FP16", "gb", is(140, 0), () => gigabytes(70, 16), "16 bits a parameter"),
  quantization(333, "70B in 4 bits", "gb", is(35, 0), () => gigabytes(70, 4), "4 bits a parameter"),
  quantization(332, "70B in 4 bits on two cards of 24 GB", "gb", orLess(48), () => gigabytes(70, 4), "weights alone"),
  quantization(
    338,
    "quality lost with 4 bits",
    "percent",
    is(5, 0),
    () => percentBelow(ratio(100), ratio(95)),
    "95 of 100, line 325",
  ),
  context(
    372,
    "100K tokens with Gemini Flash",
    "usd",
    is(1.5, 0.01),
    () => costOfTokens(ratio(100_000), flash?.rates.prompt ?? 0),
    "the lecture names no price; at the 0.30 dollars a million of gemini-2.5-flash in our book, newer and dearer than 2.0. 1.50 would be 15 dollars a million",
  ),
  context(
    376,
    "pieces of 100K tokens in 8K",
    "count",
    is(13, 0),
    () => ratio(piecesOf(100_000, 8000)),
    "rounded up; nothing is left for the answer",
  ),
];

const cost = figuresOf("lecture", "3. Cost Optimization");
const naive = () => times(ratio(5), ratio(200), usd(0.03));
const optimized = () => plus(usd(3), usd(6));
const days = ratio(30);
const workflows = ratio(100);
const costs: readonly SeedFigure[] = [
  cost(431, "a workflow, everything by API", "usd", is(30), naive, "5 × 200 × 0.03"),
  cost(432, "a day", "usd", is(3000), () => times(naive(), workflows), "100 workflows"),
  cost(432, "a month", "usd", is(90_000), () => times(naive(), workflows, days), "30 days"),
  cost(
    440,
    "the analyst's 200 calls",
    "usd",
    is(3),
    () => times(ratio(200), usd(0.03)),
    "at the 0.03 dollars a call of line 431; 3 dollars are half of that, and no other price is named",
  ),
  cost(
    441,
    "the writer's 200 calls",
    "usd",
    is(6),
    () => times(ratio(200), usd(0.03)),
    "at the 0.03 dollars a call of line 431",
  ),
  cost(443, "a workflow, three roles local", "usd", is(9), optimized, "3 and 6"),
  cost(443, "saved", "percent", is(70), () => percentBelow(naive(), optimized()), "9 of 30"),
  cost(444, "a day, three roles local", "usd", is(900), () => times(optimized(), workflows), "100 workflows"),
  cost(444, "a month, three roles local", "usd", is(27_000), () => times(optimized(), workflows, days), "30 days"),
  cost(473, "100 calls", "usd", is(3), () => times(ratio(100), usd(0.03)), "at 0.03"),
];

const latency = figuresOf("lecture", "3. Latency Optimization");
const rate = figuresOf("lecture", "4. Rate Limit Management");
const four: readonly number[] = [200, 200, 200, 200];
const network = (calls: number) => ends(times(ratio(50), ratio(calls)), times(ratio(150), ratio(calls)));
const waits: readonly SeedFigure[] = [
  latency(517, "four agents in sequence", "ms", is(800, 0), () => ratio(inSequence(four)), "4 × 200"),
  latency(531, "in sequence, again", "ms", is(800, 0), () => ratio(inSequence(four)), "4 × 200"),
  latency(536, "side by side", "ms", is(200, 0), () => ratio(sideBySide(four)), "the longest"),
  latency(547, "network of three cloud calls", "ms", orMore(600), () => network(3), "50 to 150 ms a call, line 521"),
  latency(548, "network of one cloud call", "ms", is(200), () => network(1), "50 to 150 ms a call, line 521"),
  rate(741, "requests of ten workflows", "count", is(100, 0), () => times(ratio(5), ratio(2), ratio(10)), "5 × 2 × 10"),
  rate(742, "requests a minute", "count", is(600, 0), () => perMinute(100, 10), "100 within 10 seconds"),
];

const decisions = figuresOf("lecture", "3. Quality vs. Cost Trade-off Matrix");
const uncheckable: readonly SeedFigure[] = [
  decisions(613, "10 contracts a day", "usd", is(5), null, "the size of a contract is not given"),
  decisions(627, "500 summaries a day", "usd", is(5), null, "their size is not given"),
  figuresOf("lecture", "2. Local Inference Engine")(
    245,
    "throughput over a naive engine",
    "times",
    is(24),
    null,
    "up to; no measurement is given",
  ),
];

export const lectureFigures: readonly SeedFigure[] = Object.freeze([
  ...memory,
  ...local,
  ...costs,
  ...waits,
  ...uncheckable,
]);

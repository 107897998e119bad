/** The monthly estimates of "LLM API Providers Comparison for AQE Fleet", and the prices they are made of. Pure. */
import { groqPrices } from "../../pricing/book/groq.ts";
import { openaiPrices } from "../../pricing/book/openai.ts";
import { plus, type Ratio, ratio } from "../ratio.ts";
import { costOfTokens } from "../token-cost.ts";
import { figuresOf, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

export interface Rates {
  readonly prompt: number;
  readonly completion: number;
}

/** Half in, half out, as line 850 assumes. Million tokens, pico-USD per token. */
export function monthOfMillions(millions: number, { prompt, completion }: Rates): Ratio {
  const half = ratio(millions * 500_000);
  return plus(costOfTokens(half, prompt), costOfTokens(half, completion));
}

function listed(rows: readonly { readonly model: string; readonly rates: Rates }[], model: string): Rates {
  const row = rows.find((one) => one.model === model);
  if (row === undefined) throw new RangeError(`The price book has no ${model}`);
  return row.rates;
}

/** Lines 818 to 824. */
export const sonnet4: Rates = { prompt: 3_000_000, completion: 15_000_000 };
const haiku35: Rates = { prompt: 800_000, completion: 4_000_000 };
export const deepseekR1: Rates = { prompt: 550_000, completion: 2_190_000 };
export const gpt4: Rates = { prompt: 30_000_000, completion: 60_000_000 };
/** Where the paper has no price: our price book's. */
export const gpt4o = () => listed(openaiPrices.rows, "gpt-4o");
export const groq70b = () => listed(groqPrices.rows, "llama-3.3-70b-versatile");

const estimate = figuresOf("providers", "Monthly Cost Estimates");
const volumes = [10, 50, 100] as const;
type Ranges = readonly [readonly [number, number], readonly [number, number], readonly [number, number]];
function estimates(line: number, name: string, said: Ranges, rates: (() => Rates) | null, how: string): SeedFigure[] {
  return volumes.map((millions, index) => {
    const [low, high] = said[index] ?? [0, 0];
    const ours = rates === null ? null : () => monthOfMillions(millions, rates());
    return estimate(line, `${name}, ${millions} M tokens`, "usd", range(low, high), ours, how);
  });
}

export const half = "half in, half out";
export const monthly: readonly SeedFigure[] = [
  ...estimates(
    854,
    "GPT-4o",
    [
      [300, 600],
      [1500, 3000],
      [3000, 6000],
    ],
    gpt4o,
    `${half}, at the 2.50 and 10 dollars a million of our price book; the paper's are GPT-4's prices, not GPT-4o's`,
  ),
  ...estimates(
    855,
    "Claude Sonnet 4",
    [
      [90, 180],
      [450, 900],
      [900, 1800],
    ],
    () => sonnet4,
    `${half}, at 3 and 15 dollars a million (line 823): the lower end; twice that is not explained`,
  ),
  ...estimates(
    856,
    "Claude Haiku 3.5",
    [
      [24, 48],
      [120, 240],
      [240, 480],
    ],
    () => haiku35,
    `${half}, at 0.80 and 4 dollars a million (line 824): the lower end`,
  ),
  ...estimates(
    857,
    "Groq Llama 70B",
    [
      [25, 75],
      [125, 375],
      [250, 750],
    ],
    groq70b,
    `${half}, at the 0.59 and 0.79 dollars a million of our price book`,
  ),
  ...estimates(
    858,
    "OpenRouter, mixed",
    [
      [50, 200],
      [250, 1000],
      [500, 2000],
    ],
    null,
    "no models are named",
  ),
  ...estimates(
    859,
    "DeepSeek",
    [
      [15, 40],
      [75, 200],
      [150, 400],
    ],
    () => deepseekR1,
    `${half}, at the 0.55 and 2.19 dollars a million of R1 (line 818)`,
  ),
  ...estimates(
    860,
    "self-hosted vLLM, running",
    [
      [200, 200],
      [400, 400],
      [800, 800],
    ],
    null,
    "no machine is named",
  ),
];

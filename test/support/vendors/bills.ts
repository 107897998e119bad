/**
 * What stand-in vendors bill: computed from the requests they received, by their own price table and their own rounding, and told in the
 * documented shape of the vendor they stand for. Knows nothing of this product: not its price book, not its arithmetic.
 */
import type { SeenRequest } from "./seen.ts";

export type BillShape = "openai" | "anthropic" | "openrouter" | "deepinfra";

/** USD per million tokens, as a person would copy them from the vendor's page. */
interface TablePrice {
  readonly input: number;
  readonly output: number;
}

const priceTable: Readonly<Record<string, TablePrice>> = Object.freeze({
  "gpt-4o": { input: 2.5, output: 10 },
  "gpt-4o-mini": { input: 0.15, output: 0.6 },
  "gpt-4.1-nano": { input: 0.1, output: 0.4 },
  "claude-sonnet-4-5": { input: 3, output: 15 },
  "claude-haiku-4-5": { input: 1, output: 5 },
  // Those that say what an answer cost.
  "stand-in": { input: 1, output: 2 },
});

/** A line that the vendor adds to its bill, or an amount it changes, whatever it received. */
export interface BillSlip {
  readonly day: string;
  readonly model: string;
  /** USD on top of what was received. */
  readonly usd: number;
}

export interface BillWishes {
  readonly shape: BillShape;
  /** Only this key is shown a bill. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly slips?: readonly BillSlip[];
  /** Buckets on a page; absent: all. */
  readonly perPage?: number;
}

export interface BillReply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Charge {
  readonly day: string;
  readonly model: string;
  readonly input: number;
  readonly output: number;
}

/** Null: the path asks for no bill. */
export function billReply(
  url: URL,
  key: string | null,
  seen: readonly SeenRequest[],
  wishes: BillWishes,
): BillReply | null {
  const teller = tellers[wishes.shape];
  if (!url.pathname.endsWith(teller.path)) return null;
  if (key !== wishes.key) return { status: 401, body: { error: { message: `No bill for ${key}.` } } };
  const charges = chargesOf(seen, wishes);
  return { status: 200, body: teller.tell(charges, url.searchParams, wishes) };
}

function chargesOf(seen: readonly SeenRequest[], { slips = [] }: BillWishes): readonly Charge[] {
  const received = seen.flatMap((request): Charge[] => {
    const { counted, body, atMs } = request;
    const price = priceTable[String(body.model)];
    if (counted === null || counted.prompt === 0 || price === undefined) return [];
    const dollars = (tokens: number, perMillion: number) => (tokens * perMillion) / 1_000_000;
    const day = new Date(atMs).toISOString().slice(0, 10);
    const [input, output] = [dollars(counted.prompt, price.input), dollars(counted.completion, price.output)];
    return [{ day, model: String(body.model), input, output }];
  });
  return [...received, ...slips.map(({ day, model, usd }) => ({ day, model, input: usd, output: 0 }))];
}

interface Teller {
  readonly path: string;
  tell(charges: readonly Charge[], query: URLSearchParams, wishes: BillWishes): object;
}

const tellers: Readonly<Record<BillShape, Teller>> = Object.freeze({
  openai: {
    path: "/organization/costs",
    tell: (charges, query, { perPage }) => {
      const from = Number(query.get("start_time")) * 1000;
      const buckets = daysOf(from, Number(query.get("end_time")) * 1000).map((day) => ({
        object: "bucket",
        start_time: Date.parse(day) / 1000,
        end_time: Date.parse(day) / 1000 + 86_400,
        results: grouped(charges, day).flatMap(([model, input, output]) => [
          result(`${dated(model)}, input`, input),
          result(`${dated(model)}, output`, output),
        ]),
      }));
      return paged(buckets, query, perPage);
    },
  },
  anthropic: {
    path: "/organizations/cost_report",
    tell: (charges, query, { perPage }) => {
      const from = Date.parse(query.get("starting_at") ?? "");
      const buckets = daysOf(from, Date.parse(query.get("ending_at") ?? "")).map((day) => ({
        starting_at: `${day}T00:00:00Z`,
        ending_at: `${new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)}T00:00:00Z`,
        results: grouped(charges, day).flatMap(([model, input, output]) => [
          cents(model, "uncached_input_tokens", input),
          cents(model, "output_tokens", output),
        ]),
      }));
      return paged(buckets, query, perPage);
    },
  },
  openrouter: {
    path: "/activity",
    tell: (charges, _query, { now }) => {
      const today = new Date(now()).toISOString().slice(0, 10);
      const days = [...new Set(charges.map(({ day }) => day))].filter((day) => day < today);
      return {
        data: days.flatMap((day) =>
          grouped(charges, day).map(([model, input, output]) => ({
            date: day,
            model,
            model_permaslug: `${model}-2026-01-01`,
            endpoint_id: "550e8400-e29b-41d4-a716-446655440000",
            provider_name: "Stand-in",
            usage: Number((input + output).toFixed(9)),
            byok_usage_inference: 0,
            requests: charges.filter((charge) => charge.day === day && charge.model === model).length,
            prompt_tokens: 0,
            completion_tokens: 0,
            reasoning_tokens: 0,
          })),
        ),
      };
    },
  },
  deepinfra: {
    path: "/payment/usage",
    tell: (charges, query) => {
      const day = new Date(Number(query.get("from")) * 1000).toISOString().slice(0, 10);
      const items = grouped(charges, day).map(([model, input, output]) => ({
        model: { provider: "deepinfra", model_name: model },
        pricing_type: "tokens",
        cost: Number(((input + output) * 100).toFixed(7)),
      }));
      const total = items.reduce((sum, { cost }) => sum + cost, 0);
      return { months: [{ period: day.slice(0, 7).replace("-", "."), items, total_cost: Math.round(total) }] };
    },
  },
});

/** The dated name that ran, as OpenAI writes it. */
function dated(model: string): string {
  return `${model}-2024-08-06`;
}

function result(item: string, usd: number): object {
  return {
    object: "organization.costs.result",
    amount: { value: usd, currency: "usd" },
    line_item: item,
    project_id: null,
  };
}

/** Hundred-thousandths of a cent, as the documented examples have them. */
function cents(model: string, kind: string, usd: number): object {
  const amount = (usd * 100).toFixed(5);
  const described = `${model} usage: ${kind}`;
  const rest = { cost_type: "tokens", service_tier: "standard", context_window: "0-200k", workspace_id: null };
  return { amount, currency: "USD", model, token_type: kind, description: described, ...rest };
}

function daysOf(fromMs: number, untilMs: number): readonly string[] {
  const days: string[] = [];
  for (let at = fromMs; at < untilMs; at += 86_400_000) days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

function grouped(charges: readonly Charge[], day: string): readonly (readonly [string, number, number])[] {
  const ofDay = charges.filter((charge) => charge.day === day);
  return [...new Set(ofDay.map(({ model }) => model))].map((model) => {
    const mine = ofDay.filter((charge) => charge.model === model);
    const add = (of: (charge: Charge) => number) => mine.reduce((sum, charge) => sum + of(charge), 0);
    return [model, add(({ input }) => input), add(({ output }) => output)] as const;
  });
}

function paged(buckets: readonly object[], query: URLSearchParams, perPage = 31): object {
  const start = Number(/^page_(\d+)$/.exec(query.get("page") ?? "page_0")?.[1] ?? 0);
  const end = start + perPage;
  const hasMore = end < buckets.length;
  return {
    object: "page",
    data: buckets.slice(start, end),
    has_more: hasMore,
    next_page: hasMore ? `page_${end}` : null,
  };
}

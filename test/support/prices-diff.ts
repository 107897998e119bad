/**
 * `npm run prices:diff`: our price book beside @pydantic/genai-prices, rate by rate. It says where they disagree and fails nothing:
 * neither of the two is right by itself.
 */
import { pathToFileURL } from "node:url";
import { calcPrice, type ModelPrice } from "@pydantic/genai-prices";
import { priceBook } from "../../server/domain/pricing/book/index.ts";
import { type PriceRow, type Rates, rowsOf } from "../../server/domain/pricing/book.ts";

/** The noon at which today's prices are compared: a Thursday, off-peak everywhere. Fixed, so that the page is too. */
export const comparedAtMs = Date.parse("2026-11-26T12:00:00Z");
const dayMs = 86_400_000;

/** Their names of providers, where they differ. */
const theirProviders: Readonly<Record<string, string>> = { gemini: "google" };

/** Our rate → theirs, in USD per million. */
const fields = Object.freeze({
  prompt: "input_mtok",
  completion: "output_mtok",
  cached: "cache_read_mtok",
  cacheWrite5m: "cache_write_mtok",
  cacheWrite1h: "cache_write_1h_mtok",
  audioPrompt: "input_audio_mtok",
  audioCached: "cache_audio_read_mtok",
} satisfies Partial<Record<keyof Rates, string>>);

export interface Compared {
  readonly id: string;
  /** `` for the plain rates, `above 200000`, `peak`. */
  readonly part: string;
  readonly verdict: "agrees" | "differs" | "not there";
  /** `cached 0.1 ≠ 0.2`; empty where they agree. */
  readonly words: string;
}

/** Every row that holds at the moment, by itself, its long prompts and its windows. */
export function comparePrices(atMs: number = comparedAtMs): readonly Compared[] {
  const rows = priceBook.flatMap(rowsOf);
  return rows.flatMap((row) => {
    // What does not hold now is compared on a day on which it does.
    const at = atMs < row.fromMs ? row.fromMs + dayMs : atMs >= row.untilMs ? row.untilMs - dayMs : atMs;
    return compareRow(row, at);
  });
}

function compareRow(row: PriceRow, atMs: number): Compared[] {
  const theirs = theirPrice(row, atMs);
  if (theirs === null) return [{ id: row.id, part: "", verdict: "not there", words: "" }];
  const name = theirs.model === row.model || row.aliases?.includes(theirs.model) ? "" : `as ${theirs.model}`;
  const found = [compareRates(row, "", row.rates, theirs.price, 0, name)];
  for (const { above, rates } of row.long ?? []) {
    found.push(compareRates(row, `above ${above}`, rates, theirs.price, above + 1, name));
  }
  for (const window of row.windows ?? []) {
    const inside = atHour(atMs, window.minutes[0]?.from ?? 0, window.weekdays);
    const peak = inside >= row.untilMs ? null : theirPrice(row, inside);
    if (peak !== null) found.push(compareRates(row, window.name, window.rates, peak.price, 0, name));
  }
  return found;
}

/** The last moment before that one on a weekday of the window, an hour's half into it. */
function atHour(atMs: number, minute: number, weekdays: readonly number[]): number {
  let day = Math.floor(atMs / dayMs);
  while (!weekdays.includes(new Date(day * dayMs).getUTCDay())) day -= 1;
  return day * dayMs + (minute + 30) * 60_000;
}

function theirPrice(row: PriceRow, atMs: number): { readonly model: string; readonly price: ModelPrice } | null {
  const providerId = theirProviders[row.provider] ?? row.provider;
  try {
    const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, row.model, {
      providerId,
      timestamp: new Date(atMs),
    });
    return found === null ? null : { model: found.model.id, price: found.model_price };
  } catch {
    // A provider it does not know.
    return null;
  }
}

/** Theirs for a prompt of so many tokens; null: no such rate. */
function theirRate(price: ModelPrice, field: string, promptTokens: number): number | null {
  const rate = price[field];
  if (rate === undefined || typeof rate === "number") return rate ?? null;
  return rate.tiers.findLast(({ start }) => promptTokens > start)?.price ?? rate.base;
}

function compareRates(
  row: PriceRow,
  part: string,
  rates: Rates,
  price: ModelPrice,
  promptTokens: number,
  name: string,
): Compared {
  const words = Object.entries(fields).flatMap(([field, theirField]) => {
    const ours = rates[field as keyof Rates];
    const theirs = theirRate(price, theirField, promptTokens);
    if (ours === undefined && theirs === null) return [];
    if (ours !== undefined && theirs !== null && Math.abs(ours - theirs * 1e6) < 0.5) return [];
    return [`${field} ${ours === undefined ? "–" : ours / 1e6} ≠ ${theirs ?? "–"}`];
  });
  const said = [...(name === "" ? [] : [name]), ...words];
  return { id: row.id, part, verdict: words.length === 0 ? "agrees" : "differs", words: said.join("; ") };
}

export function summaryLine(compared: readonly Compared[]): string {
  const count = (verdict: Compared["verdict"]) => compared.filter((one) => one.verdict === verdict).length;
  const day = new Date(comparedAtMs).toISOString().slice(0, 10);
  return `Version 0.1.8, compared on ${day}: ${compared.length} sets of rates, of which ${count("agrees")} agree, ${count("differs")} differ and ${count("not there")} are not there.`;
}

/** What does not agree, as a table in Markdown. */
export function differencesTable(compared: readonly Compared[]): string {
  const rows = compared
    .filter(({ verdict }) => verdict !== "agrees")
    .map(
      ({ id, part, verdict, words }) => `| \`${id}\`${part === "" ? "" : ` ${part}`} | ${verdict} | ${words || "–"} |`,
    );
  return ["| price | verdict | ours ≠ theirs, USD per million |", "| --- | --- | --- |", ...rows].join("\n");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const compared = comparePrices();
  process.stdout.write(`${differencesTable(compared)}\n\n${summaryLine(compared)}\n`);
}

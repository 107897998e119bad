/**
 * docs/prices.md as the price book's data gives it. `node build/task.js test/support/prices-page.ts` writes it; a test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { priceBook } from "../../server/domain/pricing/book/index.ts";
import type { Fraction, PriceRow, ProviderPrices, Rates, Service } from "../../server/domain/pricing/book.ts";
import { rowsOf } from "../../server/domain/pricing/book.ts";
import { comparePrices, differencesTable, summaryLine } from "./prices-diff.ts";

const path = join(import.meta.dirname, "../../docs/prices.md");
const unknown = "–";
/** What follows is drawn from data; what stands before it is written by hand. */
export const generatedMark = "<!-- Everything below is drawn from server/domain/pricing/book: npm run prices:page -->";

export function writtenPage(): string {
  return readFileSync(path, "utf8");
}

/** US dollars per million tokens, exactly. */
export function usdPerMillion(picos: number | undefined): string {
  if (picos === undefined) return unknown;
  const digits = String(picos).padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0+$/, "");
  return `${digits.slice(0, -6)}${fraction === "" ? "" : `.${fraction}`}`;
}

function ratesText(rates: Rates): string {
  const { prompt, completion, cached, cacheWrite5m, cacheWrite1h } = rates;
  const known = [prompt, completion, cached, cacheWrite5m, cacheWrite1h];
  while (known.at(-1) === undefined) known.pop();
  return known.map(usdPerMillion).join(" / ");
}

function fractionText({ numerator, denominator }: Fraction): string {
  return denominator === 1 ? `× ${numerator}` : `× ${numerator}/${denominator}`;
}

function serviceText(service: Service): string {
  return "rates" in service ? ratesText(service.rates) : fractionText(service);
}

function moreOf(row: PriceRow, prices: ProviderPrices): string {
  const minute = (at: number) => `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  const { audioPrompt, audioCached } = row.rates;
  const facts = [
    ...(row.until === undefined ? [] : [`until ${row.until}`]),
    ...(row.long ?? []).map(({ above, rates }) => `above ${above.toLocaleString("en-US")}: ${ratesText(rates)}`),
    ...(row.windows ?? []).map(
      ({ name, minutes, rates }) =>
        `${name} (${minutes.map(({ from, until }) => `${minute(from)}–${minute(until)}`).join(", ")} UTC, Mon–Fri, no holidays): ${ratesText(rates)}`,
    ),
    ...(audioPrompt === undefined ? [] : [`audio ${usdPerMillion(audioPrompt)}`]),
    ...(audioCached === undefined ? [] : [`cached audio ${usdPerMillion(audioCached)}`]),
    ...(row.services === prices.services
      ? []
      : Object.entries(row.services).map(([name, service]) => `${name} ${serviceText(service)}`)),
    ...(row.note === undefined ? [] : [row.note]),
    ...(row.source === prices.source ? [] : [`source: ${row.source} (${row.checked})`]),
  ];
  return facts.join("; ") || unknown;
}

function rowText(row: PriceRow, prices: ProviderPrices): string {
  const { prompt, completion, cached, cacheWrite5m, cacheWrite1h } = row.rates;
  const names = (row.aliases ?? []).map((alias) => `\`${alias}\``).join(", ");
  const figures = [prompt, completion, cached, cacheWrite5m, cacheWrite1h].map(usdPerMillion);
  return `| ${[`\`${row.id}\``, ...figures, moreOf(row, prices), names || unknown].join(" | ")} |`;
}

function providerText(prices: ProviderPrices): string {
  const lines = [`### ${prices.provider}`, "", `${prices.source}; checked ${prices.checked}.`];
  const facts = [
    ...Object.entries(prices.services ?? {}).map(([name, service]) => `${name} ${serviceText(service)}`),
    ...Object.entries(prices.toolFees ?? {}).map(([tool, fee]) => `${tool} $${usdPerMillion(fee / 1_000_000)} a call`),
    ...(prices.reportedCost === undefined ? [] : [`answers say their cost in \`usage.${prices.reportedCost}\``]),
    ...(prices.freeSuffix === undefined ? [] : [`\`${prices.freeSuffix}\` models are free`]),
    ...(prices.creditFee === undefined
      ? []
      : [`credit costs ${(prices.creditFee.numerator * 100) / prices.creditFee.denominator} % more, not counted`]),
  ];
  if (facts.length > 0) lines.push("", `For all: ${facts.join("; ")}.`);
  const rows = rowsOf(prices);
  if (rows.length > 0) {
    lines.push("", "| price | in | out | cached | write 5m | write 1h | more | further names |");
    lines.push("| --- | --- | --- | --- | --- | --- | --- | --- |", ...rows.map((row) => rowText(row, prices)));
  }
  if (prices.leftOut !== undefined) {
    lines.push("", "Not entered:", "", ...prices.leftOut.map(({ what, why }) => `- ${what}: ${why}`));
  }
  return lines.join("\n");
}

/** From the mark on, without a final newline. */
export function generatedPart(): string {
  const comparison = comparePrices();
  return [
    generatedMark,
    "",
    "## The book",
    "",
    ...priceBook.flatMap((prices) => [providerText(prices), ""]),
    "## Compared with @pydantic/genai-prices",
    "",
    summaryLine(comparison),
    "",
    differencesTable(comparison),
  ].join("\n");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const before = writtenPage().split(generatedMark)[0] ?? "";
  writeFileSync(path, `${before}${generatedPart()}\n`);
}

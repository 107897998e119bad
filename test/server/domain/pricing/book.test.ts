/** The price book as data: what must hold for every row, whoever enters it. */
import { describe, expect, test } from "vitest";
import { priceBook } from "../../../../server/domain/pricing/book/index.ts";
import { type Rates, rowsOf } from "../../../../server/domain/pricing/book.ts";
import { configSchema } from "../../../../server/config/schema.ts";
import { pricesOfSettings } from "../../../../server/domain/pricing/override.ts";

const rows = priceBook.flatMap(rowsOf);
const allRates = rows.flatMap((row) => [
  { id: row.id, rates: row.rates },
  ...(row.long ?? []).map(({ rates }) => ({ id: `${row.id} long`, rates })),
  ...(row.windows ?? []).map(({ rates, name }) => ({ id: `${row.id} ${name}`, rates })),
]);

describe("every row", () => {
  test("has a source and the day it was checked", () => {
    const without = rows.filter(({ source, checked }) => source.length < 8 || !/^\d{4}-\d\d-\d\d$/.test(checked));
    expect(without).toEqual([]);
  });

  test("has whole picos, not below 0, and cached tokens no dearer than fresh ones", () => {
    for (const { id, rates } of allRates) {
      for (const picos of Object.values(rates) as number[]) {
        expect(Number.isSafeInteger(picos) && picos >= 0, id).toBe(true);
      }
      expect(rates.cached ?? 0, id).toBeLessThanOrEqual(rates.prompt);
      expect(rates.cacheWrite5m ?? rates.prompt, id).toBeGreaterThanOrEqual(rates.prompt);
      expect(rates.cacheWrite1h ?? rates.cacheWrite5m ?? 0, id).toBeGreaterThanOrEqual(rates.cacheWrite5m ?? 0);
    }
  });

  test("begins before it ends, at times that are times", () => {
    for (const { id, fromMs, untilMs, checked } of rows) {
      expect(fromMs < untilMs, id).toBe(true);
      expect(Number.isFinite(Date.parse(checked)), id).toBe(true);
    }
  });

  test("has its own id", () => {
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  test("has long prompts in ascending order, with every rate the short ones have", () => {
    for (const { id, rates, long = [] } of rows) {
      const bounds = long.map(({ above }) => above);
      expect(bounds, id).toEqual([...bounds].sort((left, right) => left - right));
      for (const tier of long) expect(Object.keys(tier.rates).sort(), id).toEqual(Object.keys(rates).sort());
    }
  });
});

test("no two rows of one name of a model hold at the same time", () => {
  const overlaps = rows.flatMap((left, index) =>
    rows.slice(index + 1).flatMap((right) => {
      const names = new Set([left.model, ...(left.aliases ?? [])]);
      const shared = [right.model, ...(right.aliases ?? [])].some((name) => names.has(name));
      const sameTime = left.fromMs < right.untilMs && right.fromMs < left.untilMs;
      return left.provider === right.provider && shared && sameTime ? [[left.id, right.id]] : [];
    }),
  );
  expect(overlaps).toEqual([]);
});

test("holidays are days, ascending, within what is known", () => {
  for (const { windows = [] } of rows) {
    for (const { except } of windows) {
      expect(except?.days).toEqual([...new Set(except?.days)].sort());
      expect(except?.days.every((day) => day < (except?.knownUntil ?? ""))).toBe(true);
    }
  }
});

test("what is held for an unknown model is no less than any model of the book costs at its standard price", () => {
  const { unknownPrice, prices } = configSchema.parse({});
  const { worstCase } = pricesOfSettings(prices, unknownPrice);
  const dearest = (of: (rates: Rates) => number) => Math.max(...allRates.map(({ rates }) => of(rates)));
  const prompt = dearest((rates) => Math.max(rates.prompt, rates.cacheWrite1h ?? 0, rates.audioPrompt ?? 0));
  expect(worstCase.prompt).toBeGreaterThanOrEqual(prompt);
  expect(worstCase.completion).toBeGreaterThanOrEqual(dearest(({ completion }) => completion));
});

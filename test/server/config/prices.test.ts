/** Prices of one's own in the settings: exact, or refused with the line they stand in. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../server/config/load.ts";
import type { Failure } from "../../../server/domain/failure.ts";
import { pricesOfSettings } from "../../../server/domain/pricing/override.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function load(yaml: string, environment: Readonly<Record<string, string>> = {}) {
  const file = join(temporaryFolder(), "lanthorn.yaml");
  writeFileSync(file, yaml);
  const { prices, unknownPrice } = loadConfig({ file, environment, flags: [], workingFolder: "/" }).values;
  return pricesOfSettings(prices, unknownPrice);
}

const price = (fields: string) => `prices:\n  - provider: openai\n    model: gpt-4o\n${fields}\n`;

test("numbers and texts mean their digits", () => {
  const { overrides } = load(
    price("    prompt: 0.003625\n    completion: '10.5'\n    cached: 0.1\n    perRequest: 0.005"),
  );
  expect(overrides).toMatchObject([
    { rates: { prompt: 3625, completion: 10_500_000, cached: 100_000 }, perRequest: 5_000_000_000 },
  ]);
});

test("days begin at midnight UTC, also where YAML has no quotes", () => {
  const { overrides } = load(
    price("    prompt: 1\n    completion: 2\n    from: 2026-11-01\n    until: 2026-12-01T08:00:00Z"),
  );
  expect(overrides).toMatchObject([
    { fromMs: Date.parse("2026-11-01T00:00:00Z"), untilMs: Date.parse("2026-12-01T08:00:00Z") },
  ]);
});

test("from the environment, as JSON", () => {
  const prices = [{ provider: "a", model: "b", prompt: "1", completion: "2" }];
  const environment = { LANTHORN_PRICES: JSON.stringify(prices), LANTHORN_UNKNOWN_PRICE_PROMPT: "5" };
  const { overrides, worstCase } = load("", environment);
  expect(overrides.map(({ id }) => id)).toEqual(["own/a/b@start"]);
  expect(worstCase).toEqual({ prompt: 5_000_000, completion: 75_000_000 });
});

test.each([
  ["    prompt: 0.0000001\n    completion: 1", "prices[0].prompt", 4],
  ["    prompt: -1\n    completion: 1", "prices[0].prompt", 4],
  ["    prompt: 1\n    completion: cheap", "prices[0].completion", 5],
  ["    prompt: 1\n    completion: 1\n    from: tomorrow", "prices[0].from", 6],
  ["    prompt: 1\n    completion: 1\n    cache: 1", "prices[0].cache", 6],
])("%j is refused", (fields, param, line) => {
  const complaint = (): Failure => {
    try {
      load(price(fields));
    } catch (error) {
      return error as Failure;
    }
    throw new Error("the settings were accepted");
  };
  const { code, message, param: named } = complaint();
  expect({ code, param: named }).toEqual({ code: "cannot_start", param });
  expect(message).toContain(`line ${line}`);
});

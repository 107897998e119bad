/** Whatever a grammar lets through satisfies its schema: random schemas, random texts, ajv as the judge. */
import { expect, test } from "vitest";
import { verdictOn, judgeOf, keptSchemas, lenientGrammar } from "../../../../support/schema-judge.ts";
import { readGbnf } from "../../../../support/gbnf.ts";
import { full } from "../../../../support/full.ts";
import { seeded } from "../../../../support/random.ts";
import { RandomSchemas } from "../../../../support/random-schema.ts";

const schemas = full ? 2_000 : 200;
const textsEach = 4;

test(`S-13 texts of ${schemas} random schemas satisfy them`, () => {
  const { kept, refused } = keptSchemas(0, schemas);
  const verdicts = kept.map((one) => verdictOn(one, textsEach));
  const faults = verdicts.flatMap(({ fault }) => fault ?? []);
  console.info(`${schemas} schemas: ${kept.length} kept, ${faults.length} failures; refused: ${summary(refused)}`);
  expect(faults).toEqual([]);
  // Most are kept, and some of the rest really cannot be: else the generator says nothing.
  expect(kept.length).toBeGreaterThan(schemas * 0.75);
  expect(verdicts.filter(({ judged }) => !judged).length).toBeLessThan(schemas * 0.01);
  expect(refused.size).toBeGreaterThan(3);
});

test("the judge would notice: a grammar of another schema is caught", () => {
  const { kept } = keptSchemas(0, full ? 200 : 80);
  const swapped = kept.slice(1).map((one, index) => ({ ...one, gbnf: kept[index]?.gbnf ?? "" }));
  const faults = swapped.filter((one) => verdictOn(one, textsEach).fault !== null);
  expect(faults.length).toBeGreaterThan(swapped.length * 0.6);
});

test("a tool's schema is never refused, and what is noted names places in it", () => {
  let noted = 0;
  for (let seed = 10_000; seed < 10_000 + (full ? 300 : 120); seed += 1) {
    const schema = new RandomSchemas(seeded(seed), "2020-12").next();
    const { gbnf, unenforced } = lenientGrammar(schema, "tools[0]");
    expect(() => JSON.parse(readGbnf(gbnf).write(seeded(seed)))).not.toThrow();
    if (unenforced.length > 0) noted += 1;
    for (const place of unenforced) expect(place).toMatch(/^tools\[0\]/);
    if (unenforced.length === 0) expect(verdictOn({ seed, draft: "2020-12", schema, gbnf }, 2).fault).toBeNull();
  }
  expect(noted).toBeGreaterThan(10);
  expect(judgeOf({ type: "null" })(1)).toBe(false);
});

function summary(refused: ReadonlyMap<string, number>): string {
  return [...refused].map(([words, count]) => `${count} × ${words}`).join(" ");
}

/** The property of `random-schemas.test.ts` over many more schemas, from seeds of their own. */
import { expect, test } from "vitest";
import { verdictOn, keptSchemas } from "../support/schema-judge.ts";

const rounds = 40;
const schemasEach = 1_000;

test("S-13 texts of 40,000 random schemas satisfy them", () => {
  let kept = 0;
  let unjudged = 0;
  const faults: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const schemas = keptSchemas(100_000 + round * schemasEach, schemasEach).kept;
    kept += schemas.length;
    for (const schema of schemas) {
      const { fault, judged } = verdictOn(schema, 8);
      if (fault !== null) faults.push(fault);
      if (!judged) unjudged += 1;
    }
  }
  console.info(
    `${rounds * schemasEach} schemas: ${kept} kept, ${faults.length} failures, ${unjudged} the judge threw on`,
  );
  expect(faults.slice(0, 5)).toEqual([]);
  expect(unjudged).toBeLessThan(kept * 0.01);
  expect(kept).toBeGreaterThan(rounds * schemasEach * 0.75);
});

/** The property of `random-schemas.test.ts` over many more schemas, from seeds of their own. */
import { expect, test } from "vitest";
import { faultOf, keptSchemas } from "../support/schema-judge.ts";

const rounds = 40;
const schemasEach = 1_000;

test("S-13 texts of 40,000 random schemas satisfy them", () => {
  let kept = 0;
  const faults: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const schemas = keptSchemas(100_000 + round * schemasEach, schemasEach).kept;
    kept += schemas.length;
    for (const schema of schemas) {
      const fault = faultOf(schema, 8);
      if (fault !== null) faults.push(fault);
    }
  }
  console.info(`${rounds * schemasEach} schemas: ${kept} kept, ${faults.length} failures`);
  expect(faults.slice(0, 5)).toEqual([]);
  expect(kept).toBeGreaterThan(rounds * schemasEach * 0.75);
});

/** S-14 over the official SDK that is installed here. `npm run test:clients` runs the same cases over the others, and agents. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientBox, openBox } from "./box.ts";
import { openAi } from "./clients/openai.ts";
import { sdkCases } from "./sdk-cases.ts";

const client = openAi("openai7", "openai");

describe("S-14 openai 7.55", () => {
  let box: ClientBox;
  beforeAll(async () => {
    box = await openBox();
  });
  afterAll(() => box.stop());

  test.each(sdkCases)("$name", async ({ run }) => {
    const reason = await run({
      box,
      client,
      connect: ({ apiKey = box.key, retries = 0 } = {}) =>
        client.connect((specifier) => import(specifier), { baseUrl: box.baseUrl, apiKey, retries }),
    });
    expect(reason).toBeUndefined();
  });
});

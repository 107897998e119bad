/** `lanthorn usage price`: a recorded answer from standard input, no server anywhere. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { lanthorn, lanthornAlone } from "../run-command.ts";

function price(value: unknown, args: readonly string[] = ["--json"], home = temporaryFolder(), command = lanthorn) {
  const input = typeof value === "string" ? value : JSON.stringify(value);
  return command(["usage", "price", ...args], { environment: { LANTHORN_HOME: home }, input });
}

const usage = { input_tokens: 3, cache_creation_input_tokens: 12_304, cache_read_input_tokens: 0, output_tokens: 550 };
const asked = { provider: "anthropic", model: "claude-3-7-sonnet-latest", date: "2026-11-26" };

test("S-27 a body is priced, with every step of how", async () => {
  const { code, stdout, stderr } = await price(
    { ...asked, body: { type: "message", usage } },
    undefined,
    undefined,
    lanthornAlone,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({
    costNanos: 54_399_000,
    costUsd: "0.054399000",
    basis: "estimated",
    priceId: "anthropic/claude-3-7-sonnet-latest@start",
    usage: { promptTokens: 12_307, cacheWrite5mTokens: 12_304, completionTokens: 550 },
    parts: [
      { what: "prompt", count: 3, picosEach: { numerator: 3_000_000, denominator: 1 } },
      { what: "cache_write_5m", count: 12_304, picosEach: { numerator: 3_750_000, denominator: 1 } },
      { what: "completion", count: 550, picosEach: { numerator: 15_000_000, denominator: 1 } },
    ],
    flags: [],
    reportedNanos: null,
    driftNanos: null,
    raw: usage,
  });
});

test("S-27 its stream costs the same", async () => {
  const stream = [
    `event: message_start\ndata: ${JSON.stringify({ type: "message_start", message: { usage: { ...usage, output_tokens: 1 } } })}\n\n`,
    `event: message_delta\ndata: ${JSON.stringify({ type: "message_delta", usage: { output_tokens: 550 } })}\n\n`,
  ].join("");
  const { stdout } = await price({ ...asked, stream });
  expect(JSON.parse(stdout)).toMatchObject({ costNanos: 54_399_000, shape: "anthropic-messages" });
});

test("in words; the provider's own figure wins, and a price of the settings is compared with it", async () => {
  const home = temporaryFolder();
  const own = "prices:\n  - { provider: openrouter, model: m, prompt: 0.9, completion: '1' }\n";
  writeFileSync(join(home, "lanthorn.yaml"), own);
  const body = { choices: [], usage: { prompt_tokens: 19, completion_tokens: 0, cost: 0.0000139 } };
  const input = { provider: "openrouter", model: "m", date: "2026-11-26T12:00", body };
  const { code, stdout } = await price(input, [], home);
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "openrouter m, 2026-11-26T12:00:00.000Z",
    "",
    "PART    COUNT  USD PER MILLION",
    "prompt     19              0.9",
    "",
    "cost       $0.000013900, billed",
    "price      own/openrouter/m@start, checked 9999-12-31",
    "source     settings",
    "computed   $0.000017100",
    "reported   $0.000013900",
    "drift      $-0.000003200",
    "usage      openai-chat, served standard",
    "flags      none",
    "",
  ]);
});

test("a model that nobody knows is unknown, not 0 and not an error", async () => {
  const { code, stdout } = await price({ ...asked, model: "claude-sonnet-5-5-20261007", body: { usage } });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ costNanos: null, reason: "unknown_price", flags: ["unknown_price"] });
});

test.each([
  ["no JSON", "{", "Standard input is no JSON"],
  ["nothing to price", asked, "It takes either a body or a stream"],
  ["two things to price", { ...asked, body: {}, stream: "" }, "It takes either a body or a stream"],
  ["no day", { ...asked, date: "tomorrow", body: {} }, "Standard input is not as expected: date"],
])("wrong usage is exit 2: %s", async (_what, input, message) => {
  const { code, stdout, stderr } = await price(input);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: "usage", message } });
});

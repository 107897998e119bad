/** The examples in docs/examples: each can be used as it stands, and leads where it says. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { routesSetting } from "../../../server/config/route-setting.ts";
import type { RequestFacts } from "../../../server/domain/routing/request-facts.ts";
import { read, saying } from "../../support/mode-answers.ts";
import { type Scripts, world } from "../../support/routing-world.ts";

function example(name: string, scripts: Scripts) {
  const text = readFileSync(new URL(`../../../docs/examples/${name}.yaml`, import.meta.url), "utf8");
  return world(scripts, { routes: routesSetting.parse(parse(text).routes) });
}

const models = (...names: readonly string[]): Scripts => Object.fromEntries(names.map((name) => [name, []]));

describe("the role table", () => {
  const told = () =>
    example(
      "agent-roles",
      models("engine/llama-70b", "engine/qwen-coder-32b", "engine/llama-8b", "anthropic/claude-sonnet-4-5"),
    );

  test.each([
    ["planning", "plain", ["engine/llama-70b", "anthropic/claude-sonnet-4-5"]],
    ["coding", "cascade", ["engine/qwen-coder-32b", "anthropic/claude-sonnet-4-5"]],
    ["testing", "plain", ["engine/llama-8b", "engine/llama-70b"]],
    ["review", "plain", ["anthropic/claude-sonnet-4-5"]],
  ])("%s: %s of %j", (role, mode, targets) => {
    const plan = told().router.explain("team", { role });
    expect(plan.mode).toBe(mode);
    expect(plan.attempts.map(({ target }) => target)).toEqual(targets);
  });
});

describe("the tier plan", () => {
  const scripts = {
    ...models("anthropic/claude-opus-4-5", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro"),
    "engine/sorter": [saying('{"tier":"tasks"}')],
    "engine/deepseek-coder-32b": [],
    "anthropic/claude-haiku-4-5": [saying("Yes.")],
    "gemini/gemini-2.5-flash": [saying("yes")],
  };

  test.each([
    ["architecture", ["anthropic/claude-opus-4-5", "gemini/gemini-2.5-pro"]],
    ["execution", ["anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro"]],
    ["tasks", ["anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash", "anthropic/claude-sonnet-4-5"]],
    ["routine", ["engine/deepseek-coder-32b", "anthropic/claude-haiku-4-5"]],
  ])("%s leads to %j", (tier, targets) => {
    const facts: Partial<RequestFacts> = { tier };
    const plan = example("tier-plan", scripts).router.explain("work", facts);
    expect(plan.route).toBe(tier);
    expect(plan.attempts.map(({ target }) => target)).toEqual(targets);
  });

  test("without a word of the client a small model here sorts, and two quick ones agree", async () => {
    const { ask, asked } = example("tier-plan", scripts);
    const journey = ask("work");
    await journey.end;
    expect(asked).toEqual(["engine/sorter", "anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash"]);
    expect(read(journey.events)).toBe("Yes.");
    expect(journey.notes).toEqual([
      "tier_chosen: tasks by engine/sorter",
      "voters_agreed: anthropic/claude-haiku-4-5, round 1",
    ]);
  });
});

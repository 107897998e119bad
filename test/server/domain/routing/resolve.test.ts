import { expect, test } from "vitest";
import { findTarget, resolveRoutes } from "../../../../server/domain/routing/resolve.ts";
import { groups } from "../../../support/routing-facts.ts";

const backends = [
  { id: "engine", models: ["qwen", "org/coder:7b"], isOpen: false },
  { id: "openai", models: ["openai/gpt-5.4-mini", "house-name"], isOpen: true },
];

test.each([
  ["engine/qwen", { backendId: "engine", model: "qwen" }],
  ["qwen", { backendId: "engine", model: "qwen" }],
  ["org/coder:7b", { backendId: "engine", model: "org/coder:7b" }],
  ["engine/org/coder:7b", { backendId: "engine", model: "org/coder:7b" }],
  ["openai/gpt-5.4-mini", { backendId: "openai", model: "gpt-5.4-mini" }],
  ["openai/a-model-of-tomorrow", { backendId: "openai", model: "a-model-of-tomorrow" }],
  ["house-name", { backendId: "openai", model: "house-name" }],
  ["engine/qwn", null],
  ["groq/llama", null],
  ["openai/", null],
])("%s is %j", (name, target) => {
  expect(findTarget(name, backends)).toEqual(target);
});

test("what does not hold together is said at once, each in a sentence", () => {
  const { problems } = resolveRoutes(
    {
      one: { groups: groups(["engine/qwn", "groq/llama"]) },
      two: { groups: groups(["one"]), rules: [{ when: {}, use: ["cloud"] }] },
      three: { groups: groups(["qwen"]), rules: [{ when: {}, route: "four" }] },
      four: { groups: groups(["qwen"]), rules: [{ when: {}, route: "five" }] },
      five: {
        groups: groups(["qwen"]),
        rules: [
          { when: {}, route: "three" },
          { name: "away", when: {}, route: "nowhere" },
        ],
      },
      six: {
        groups: [
          { name: "x", targets: [{ target: "qwen" }] },
          { name: "x", targets: [{ target: "qwen" }] },
        ],
      },
    },
    backends,
  );
  expect(problems).toEqual([
    'routes.one: nothing here serves "engine/qwn". Did you mean "engine/qwen"?',
    'routes.one: "groq/llama": there is no backend "groq". Backends: engine, openai.',
    `routes.two: "one" is an alias, and targets are models; a rule's "route" leads to another alias.`,
    'routes.two: rule 1 uses group "cloud", and the groups are 1.',
    'routes.five: away leads to "nowhere", and there is no such alias.',
    'routes.six: two groups are called "x".',
    "routes.three: its rules go in a circle: three → four → five → three.",
  ]);
});

test("fewer attempts than a mode needs are refused, also for the alias that a chosen tier leads to", () => {
  const classify = { by: "qwen", tiers: { high: "hard" }, otherwise: "high" };
  const jury = { mode: "consensus" as const, groups: groups(["qwen", "house-name"], ["openai/big"]) };
  const { problems } = resolveRoutes(
    {
      few: { ...jury, maxAttempts: 2 },
      enough: { ...jury, maxAttempts: 3 },
      draft: { mode: "cascade", groups: groups(["qwen"], ["house-name"]), maxAttempts: 1 },
      sorted: { groups: groups(["qwen"]), classify, rules: [{ when: { tier: ["high"] }, route: "enough" }] },
    },
    backends,
  );
  expect(problems).toEqual([
    'routes.few: its mode needs 3 attempts, and "maxAttempts" allows 2.',
    'routes.draft: its mode needs 2 attempts, and "maxAttempts" allows 1.',
    'routes.enough: "maxAttempts" allows 3, and with the tier that "sorted" asks for it needs 4.',
  ]);
});

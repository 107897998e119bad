import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../server/config/load.ts";
import type { Failure } from "../../../server/domain/failure.ts";
import { resolveRoutes } from "../../../server/domain/routing/resolve.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function routesOf(yaml: string) {
  const file = join(temporaryFolder(), "lanthorn.yaml");
  writeFileSync(file, yaml);
  return loadConfig({ file, environment: {}, flags: [], workingFolder: "/" }).values.routes;
}

function why(yaml: string): string | null {
  try {
    routesOf(yaml);
  } catch (thrown) {
    return (thrown as Failure).why;
  }
  throw new Error("the settings were accepted");
}

test("short forms mean their long ones", () => {
  const { a, b, c } = routesOf(
    [
      "routes:",
      "  a: engine/x",
      "  b: [engine/x, openai/y]",
      "  c:",
      "    targets: [engine/x]",
      "    strategy: weighted",
    ].join("\n"),
  );
  expect(a).toEqual({ groups: [{ targets: [{ target: "engine/x" }] }] });
  expect(b).toEqual({ groups: [{ targets: [{ target: "engine/x" }, { target: "openai/y" }] }] });
  expect(c).toEqual({ groups: [{ targets: [{ target: "engine/x" }], strategy: "weighted" }] });
});

test("the variable holds them as JSON", () => {
  const environment = { LANTHORN_ROUTES: '{"a":["engine/x"]}' };
  const { values } = loadConfig({ file: "/nonexistent", environment, flags: [], workingFolder: "/" });
  expect(values.routes).toEqual({ a: { groups: [{ targets: [{ target: "engine/x" }] }] } });
});

test.each([
  ["{ targets: [a/b], strategy: fastest }", /^routes\.a\.groups\[0\]\.strategy must be one of "in-order", /],
  ["{ groups: [{ targets: [{ target: a/b, wieght: 2 }] }] }", /targets\[0\]\.wieght"\. Did you mean "weight"\?$/],
  ["{ targets: [a/b], retires: 3 }", 'There is no setting "routes.a.retires". Did you mean "retries"?'],
  [
    "{ groups: [a/b], rules: [{ when: { time: { from: '25:00', to: '06:00' } }, use: 1 }] }",
    /must be a time of day such as "22:00"\.$/,
  ],
  ["{ groups: [a/b], rules: [{ when: { tols: true }, use: 1 }] }", /when\.tols"\. Did you mean "tools"\?$/],
  ["{ groups: [a/b], rules: [{ when: { tools: true } }] }", 'routes.a.rules[0] must have either "use" or "route".'],
  ["{ groups: [a/b], dataClass: secret }", 'routes.a.dataClass must be one of "local", "no-retention", "any".'],
  ["[]", /^routes\.a\.groups\[0\]\.targets must be at least 1 entries long\.$/],
  ["5", "routes.a must be a section with settings of its own."],
])("%s is refused by its place", (yaml, words) => {
  expect(why(`routes:\n  a: ${yaml}\n`)).toEqual(typeof words === "string" ? words : expect.stringMatching(words));
});

test("the example of docs/configuration.md can be pasted", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/configuration.md"), "utf8");
  const yaml = /```yaml\n(routes:\n[\s\S]*?)```/.exec(page)?.[1] ?? "";
  const ids = ["openai", "groq", "anthropic"].map((id) => ({ id, models: [], isOpen: true }));
  const { routes, problems } = resolveRoutes(routesOf(yaml), [
    { id: "engine", models: ["qwen"], isOpen: false },
    ...ids,
  ]);
  expect(problems).toEqual([]);
  expect([...routes.keys()]).toEqual(["coder", "careful", "private"]);
});

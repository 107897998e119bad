/** Docs that lie are bugs: what the pages list is compared with what the product has. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfigFile } from "../../server/config/file.ts";
import { loadConfig } from "../../server/config/load.ts";
import { listSettings } from "../../server/config/show.ts";
import { exportColumns } from "../../server/ledger/reader/export-text.ts";
import { realBox } from "../support/real-box.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const page = (name: string) => readFileSync(join(import.meta.dirname, "../../docs", name), "utf8");

test("docs/configuration.md lists every setting with its default, variable and meaning", () => {
  const resolved = loadConfig({ file: "/nonexistent/lanthorn.yaml", environment: {}, flags: [], workingFolder: "/" });
  const text = page("configuration.md");
  const missing = listSettings(resolved)
    .map(
      ({ path, value, variable, meaning }) =>
        `| \`${path}\` | \`${JSON.stringify(value)}\` | \`${variable}\` | ${meaning} |`,
    )
    .filter((row) => !text.includes(row));
  expect(missing).toEqual([]);
});

test("every example of settings in README and docs/configuration.md can be pasted", () => {
  const file = join(temporaryFolder(), "lanthorn.yaml");
  for (const name of ["../README.md", "configuration.md"]) {
    const examples = [...page(name).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml ?? "");
    expect(examples.length, name).toBeGreaterThan(0);
    for (const yaml of examples) {
      // A change of routes is a file of its own.
      if (/^gate:/m.test(yaml)) continue;
      writeFileSync(file, yaml);
      expect(() => readConfigFile(file), yaml).not.toThrow();
    }
  }
});

test("docs/api.md lists exactly the routes that the server dispatches by", async () => {
  const listed = [...page("api.md").matchAll(/^\| `(GET|POST|DELETE) (\/\S*)` \| (\w+) \|/gm)].map(
    ([, method, path, access]) => `${method} ${path} ${access}`,
  );
  const box = await realBox();
  try {
    const served = box.started.routes
      .filter(
        (route) =>
          !(
            route.access === "open" &&
            /^\/(assets\/|[^/]*\.\w+$)?/.test(route.path) &&
            !["/health", "/ready", "/sign-in"].includes(route.path)
          ),
      )
      .map((route) => `${route.method} ${route.path} ${route.access}`);
    expect([...listed].sort()).toEqual([...served].sort());
  } finally {
    await box.stop();
  }
});

test("docs/api.md lists the columns of an export", () => {
  expect(page("api.md")).toContain(exportColumns.map((column) => `\`${column}\``).join(", "));
});

test("every relative link of README and docs leads somewhere", () => {
  for (const name of [
    "../README.md",
    "api.md",
    "architecture.md",
    "clients.md",
    "configuration.md",
    "decisions.md",
    "CONTRIBUTING.md",
  ]) {
    for (const [, target] of page(name).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      const path = join(import.meta.dirname, "../../docs", name, "..", target ?? "");
      expect(() => readFileSync(path), `${name} → ${target}`).not.toThrow();
    }
  }
});

/** Changing one section of the settings leaves everything else as it stands. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeSetting } from "../../../server/config/write.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("comments, order and mode stay; what was put in is taken out without a trace", () => {
  const file = join(temporaryFolder(), "lanthorn.yaml");
  const before = "# the office box\nport: 5000 # since May\n\nengine:\n  slots: 2\n";
  writeFileSync(file, before);
  chmodSync(file, 0o640);
  writeSetting(file, ["providers", "groq"], { models: ["a", { id: "b", alias: "c" }] });
  writeSetting(file, ["providers", "openai"], {});
  expect(readFileSync(file, "utf8").startsWith(before)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  writeSetting(file, ["providers", "groq"], undefined);
  expect(readFileSync(file, "utf8")).toContain("providers:\n  openai: {}\n");
  writeSetting(file, ["providers", "openai"], undefined);
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("a file that is not there is made for its owner; one that would not be readable afterwards is left alone", () => {
  const file = join(temporaryFolder(), "lanthorn.yaml");
  expect(() => writeSetting(file, ["providers", "x"], { timeouts: "soon" })).toThrow(
    expect.objectContaining({ code: "cannot_start", param: "providers.x.timeouts" }),
  );
  expect(existsSync(file)).toBe(false);
  writeSetting(file, ["providers", "x"], { type: "custom", baseUrl: "http://box/v1" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

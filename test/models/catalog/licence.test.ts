/** A licence that forbids something is shown, accepted once, and kept with the day. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  checkLicence,
  licenceFailure,
  readAcceptedLicences,
  recordAcceptedLicence,
} from "../../../models/catalog/licence.ts";
import { type ModelName, resolveModelName } from "../../../models/catalog/name.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function named(text: string): ModelName {
  const name = resolveModelName(text);
  if (name.kind === "refused" || name.kind === "unknown") throw new Error(name.reason);
  return name;
}

test("nothing is asked for an open licence, or for a repository that the catalog does not know", () => {
  expect(checkLicence(named("qwen2.5-coder-7b"), [], false)).toMatchObject({ kind: "free" });
  expect(checkLicence(named("somebody/else"), [], false)).toEqual({ kind: "free", licence: null });
});

test("a restricted one must be accepted, also for another file of the same repository", () => {
  for (const text of ["qwen2.5-coder-3b", "Qwen/Qwen2.5-Coder-3B-Instruct-GGUF:Q8_0", "qwen2.5-coder-3b:Q8_0"]) {
    const verdict = checkLicence(named(text), [], false);
    expect(verdict, text).toMatchObject({ kind: "must-accept", licence: { id: "qwen-research" } });
    if (verdict.kind !== "must-accept") continue;
    expect(licenceFailure(verdict)).toMatchObject({
      why: "It forbids commercial use.",
      next: [expect.stringMatching(/^lanthorn models pull \S+ --accept-license$/)],
    });
  }
});

test("accepting is recorded with its time, for its owner only, and is not asked again", () => {
  const home = temporaryFolder();
  const name = named("qwen2.5-coder-3b");
  const verdict = checkLicence(name, readAcceptedLicences(home), true);
  expect(verdict).toMatchObject({ kind: "record", model: "qwen2.5-coder-3b-instruct" });
  const accepted = { licence: "qwen-research", model: "qwen2.5-coder-3b-instruct", acceptedAtMs: 1_795_000_000_000 };
  recordAcceptedLicence(home, accepted);
  recordAcceptedLicence(home, { ...accepted, licence: "llama3.1" });
  expect(checkLicence(name, readAcceptedLicences(home), false)).toMatchObject({
    kind: "accepted",
    acceptedAtMs: 1_795_000_000_000,
  });
  expect(readAcceptedLicences(home)).toHaveLength(2);
  const file = join(home, "licences.json");
  if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ version: 1 });
});

test("a damaged record is asked for again instead of believed", () => {
  const home = temporaryFolder();
  for (const text of ["", "{", '{"version":1}', '{"version":1,"accepted":[{"licence":"qwen-research"}]}']) {
    writeFileSync(join(home, "licences.json"), text);
    expect(readAcceptedLicences(home)).toEqual([]);
  }
});

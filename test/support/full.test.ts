/** What `npm test` leaves out is run by `npm run test:long`: its list has every file that leaves something out. */
import { globSync, readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { expect, test } from "vitest";
import long from "../long/vitest.config.ts";

const root = join(import.meta.dirname, "../..");
/** Imports `full` itself, or runs commands in a process that is there already, which with `full` it does not. */
const leavesOut = /^import .*(?:\/support\/full\.ts"|\blanthorn\b.*\/run-command\.ts")/m;

test("every file that leaves something out is in the long run, and its list names nothing in vain", () => {
  const tests = globSync("test/**/*.test.ts", { cwd: root }).map((file) => file.replaceAll("\\", "/"));
  const leaving = tests.filter((file) => leavesOut.test(readFileSync(join(root, file), "utf8")));
  const listed = long.test?.include?.filter((pattern) => pattern.endsWith(".test.ts")) ?? [];
  expect(leaving.length).toBeGreaterThan(10);
  expect(leaving.filter((file) => !listed.some((pattern) => matchesGlob(file, pattern)))).toEqual([]);
  // A pattern that matches nothing is a file that was moved.
  expect(listed.filter((pattern) => !leaving.some((file) => matchesGlob(file, pattern)))).toEqual([]);
});

import { expect, test } from "vitest";
import { lineDiff } from "../../../server/cli/route/line-diff.ts";

test.each([
  ["", "", []],
  ["", "a\n", ["+ a"]],
  ["a\n", "", ["- a"]],
  ["a\nb\nc\n", "a\nx\nc\nd\n", ["  a", "- b", "+ x", "  c", "+ d"]],
  ["a\nb\n", "b\na\n", ["- a", "  b", "+ a"]],
])("%j → %j", (before, after, lines) => {
  expect(lineDiff(before, after)).toEqual(lines);
});

/** What a request is for: the client's word, bounded, else the owner's first rule that fits. */
import { expect, test } from "vitest";
import { taskOf, taskPattern, taskWord } from "../../../server/domain/task.ts";
import { naughtyStrings } from "../../support/naughty-strings.ts";

test("a client's word becomes small letters, digits and a few marks, 64 at most", () => {
  expect(taskWord("Code Review")).toBe("code-review");
  expect(taskWord("  billing/invoice_2 ")).toBe("billing/invoice_2");
  expect(taskWord("--- ---")).toBeNull();
  expect(taskWord("x".repeat(500))).toHaveLength(64);
});

test("whatever is sent, a row can keep what becomes of it", () => {
  for (const text of naughtyStrings) {
    const word = taskWord(text);
    if (word !== null) expect(word).toMatch(taskPattern);
  }
});

test("the header wins over the rules, and of these the first", () => {
  const rules = [
    { task: "bots", alias: "coder", key: "Bot" },
    { task: "code", alias: "coder" },
    { task: "jonas", key: "Jonas" },
  ];
  const request = { alias: "coder", callerName: "Bot" };
  expect(taskOf("Mine", request, rules)).toBe("mine");
  expect(taskOf(null, request, rules)).toBe("bots");
  expect(taskOf(null, { alias: "coder", callerName: "Jonas" }, rules)).toBe("code");
  expect(taskOf("***", { alias: "other", callerName: "Jonas" }, rules)).toBe("jonas");
  expect(taskOf(null, { alias: "other", callerName: "Mara" }, rules)).toBeNull();
});

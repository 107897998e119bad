import { expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { createLog } from "../../../server/platform/log.ts";

function logged(fields: object, message: string): string {
  const lines: string[] = [];
  createLog({ level: "info", write: (line) => void lines.push(line) }).info(fields, message);
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

test("a line is one JSON object with level, time and message", () => {
  const line = logged({ port: 4747 }, "ready");
  expect(line.endsWith("\n")).toBe(true);
  expect(JSON.parse(line)).toMatchObject({
    level: "info",
    port: 4747,
    msg: "ready",
    time: expect.stringMatching(/Z$/),
  });
});

test("S-36 log lines from hostile input are escaped", () => {
  const hostile = "\r\n\x1b[2J\x7f\u009b2J\u2028\u202e{fake: true}";
  const line = logged({ alias: hostile }, `asked for ${hostile}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
  expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  // Nothing is lost: a reader of the JSON gets the very text.
  expect(JSON.parse(line)).toMatchObject({ alias: hostile, msg: `asked for ${hostile}` });
});

test("S-36 keys do not reach the log, by field name or inside a text", () => {
  const secret = `lth_${"a".repeat(39)}9f3c`;
  const line = logged(
    {
      headers: { authorization: `Bearer ${secret}`, "x-api-key": "chosen-admin-key" },
      request: { headers: { cookie: "session=abc" } },
      err: new Failure("internal", "failed", { cause: new Error(`upstream said ${secret}`) }),
    },
    `wrong key ${secret}`,
  );
  expect(line).not.toContain(secret);
  expect(line).not.toContain("chosen-admin-key");
  expect(line).not.toContain("session=abc");
  expect(line).toContain("lth_…9f3c");
});

test("lines below the level are not written", () => {
  const lines: string[] = [];
  const log = createLog({ level: "warn", write: (line) => void lines.push(line) });
  log.debug({}, "no");
  log.info({}, "no");
  log.warn({}, "yes");
  log.error({}, "yes");
  expect(lines).toHaveLength(2);
});

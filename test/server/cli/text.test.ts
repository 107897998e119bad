/** Text and tables for a terminal, whatever somebody put into a name. */
import { expect, test } from "vitest";
import { CommandFailure, failureText } from "../../../server/cli/errors.ts";
import { mayColour } from "../../../server/cli/output.ts";
import { factLines, tableText } from "../../../server/cli/table.ts";
import { columnsOf, pad, printable } from "../../../server/cli/text.ts";

test("what could steer a terminal is written out", () => {
  expect(printable("\u001b[2Jgone\r\nsecond line")).toBe("\\u001b[2Jgone\\u000d\\u000asecond line");
  expect(printable("a\u202eb\u200bc\ud800")).toBe("a\\u202eb\\u200bc\\ud800");
  expect(printable("\u{e0041}")).toBe("\\u{e0041}");
});

test("ordinary text of any language stays as it is", () => {
  for (const text of ["Jörg", "李雷", "نور", "🏮 lamp", "e\u0301"]) expect(printable(text)).toBe(text);
});

test("columns, not characters, are counted", () => {
  expect([..."a李🏮"].map(columnsOf)).toEqual([1, 2, 2]);
  expect(columnsOf("e\u0301")).toBe(1);
  expect(pad("李", 4)).toBe("李  ");
  expect(pad("12", 4, "left")).toBe("  12");
  expect(pad("longer", 2)).toBe("longer");
});

test("a table lines up under its header, figures at the right", () => {
  const rows = [
    { name: "李雷", tokens: 1204 },
    { name: "a\nb", tokens: 7 },
  ];
  const text = tableText(
    [
      { title: "PERSON", of: (row) => row.name },
      { title: "IN", of: (row) => String(row.tokens), align: "right" },
    ],
    rows,
  );
  expect(text).toBe("PERSON      IN\n李雷      1204\na\\u000ab     7");
});

test("facts line up behind their words", () => {
  expect(
    factLines([
      ["Models", "coder"],
      ["", "demo"],
    ]),
  ).toBe("Models   coder\n         demo");
});

test("an error says what, why and next, each step on its line", () => {
  const failure = new CommandFailure(6, "no_room", "it does not fit", {
    why: "27 GiB wanted",
    next: ["lanthorn a", "lanthorn b"],
  });
  expect(failureText(failure)).toBe(
    "error  it does not fit\nwhy    27 GiB wanted\nnext   lanthorn a\n       lanthorn b",
  );
  const several = new CommandFailure(78, "cannot_start", "2 things are wrong", { why: "one\ntwo", next: [] });
  expect(failureText(several)).toBe("error  2 things are wrong\nwhy    one\n       two");
});

test.each([
  ["a terminal", true, false, {}, true],
  ["a pipe", false, false, {}, false],
  ["--no-color", true, true, {}, false],
  ["NO_COLOR", true, false, { NO_COLOR: "1" }, false],
  ["an empty NO_COLOR, which means unset", true, false, { NO_COLOR: "" }, true],
  ["TERM=dumb", true, false, { TERM: "dumb" }, false],
])("colour on %s", (_, isTerminal, plain, environment, expected) => {
  expect(mayColour(isTerminal, plain, environment)).toBe(expected);
});

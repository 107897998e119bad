import { expect, test } from "vitest";
import { closest } from "../../../server/config/closest.ts";
import { parseModelFlag } from "../../../server/config/model-flag.ts";

test("a model flag is a file and its options", () => {
  expect(parseModelFlag("m.gguf")).toEqual({ path: "m.gguf" });
  expect(parseModelFlag("m.gguf,alias=team/coder:7b@q4,context=8192,slots=2")).toEqual({
    path: "m.gguf",
    alias: "team/coder:7b@q4",
    context: 8192,
    slots: 2,
  });
  expect(parseModelFlag("m.gguf,kind=embedding")).toEqual({ path: "m.gguf", kind: "embedding" });
  // An alias of digits is still a name, and a comma may be part of a file's name.
  expect(parseModelFlag("a,b.gguf,alias=123")).toEqual({ path: "a,b.gguf", alias: "123" });
});

const wrong: readonly (readonly [text: string, why: string])[] = [
  ["m.gguf,contxt=5", 'There is no option "contxt". Did you mean "context"?'],
  ["m.gguf,slots=1,slots=2", '"slots" is given twice.'],
  ["m.gguf,slots=two", "slots must be a number."],
  ["m.gguf,context=1", "context must be at least 64."],
  ["m.gguf,alias=two words", "alias must be one word without spaces and commas."],
  ["", "The file name must not be empty."],
];

test.each(wrong)("%s is refused with the reason", (text, why) => {
  expect(() => parseModelFlag(text)).toThrow(expect.objectContaining({ code: "cannot_start", why }));
});

test("the closest name is one or two slips away, or none", () => {
  const names = ["threads", "slots", "context", "port"];
  expect(closest("prot", names)).toBe("port");
  expect(closest("SLOT", names)).toBe("slots");
  expect(closest("contxet", names)).toBe("context");
  expect(closest("zebra", names)).toBeNull();
});

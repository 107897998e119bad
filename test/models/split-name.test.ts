/** The names of models in several files. */
import { expect, test } from "vitest";
import { allParts, mostParts, splitNameOf, stemOf } from "../../models/split-name.ts";

test("a part says which it is, of how many, with its folders", () => {
  expect(splitNameOf("q4/coder-00002-of-00003.gguf")).toEqual({ stem: "q4/coder", part: 2, count: 3 });
  expect(splitNameOf("coder-2-of-3.gguf")).toBeNull();
  expect([stemOf("coder-00001-of-00003.GGUF"), stemOf("coder.gguf")]).toEqual(["coder", "coder"]);
});

test("all parts of one, a whole file alone, and never more than any model has", () => {
  const parts = ["coder-00001-of-00002.gguf", "coder-00002-of-00002.gguf"];
  expect(allParts("coder-00002-of-00002.gguf")).toEqual(parts);
  expect(allParts("coder.gguf")).toEqual(["coder.gguf"]);
  expect(allParts("coder-00001-of-99999.gguf")).toHaveLength(mostParts);
});

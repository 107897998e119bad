/** Which of a repository's files is meant, over listings as real repositories have them. */
import { describe, expect, test } from "vitest";
import { chooseFile, quantizationOf, quantizationsOf } from "../../../models/catalog/choose-file.ts";
import type { WantedFile } from "../../../models/catalog/name.ts";

const usual: WantedFile = { kind: "usual" };

function listing(...paths: readonly string[]) {
  return paths.map((path) => ({ path }));
}

/** The chosen paths, or the reason. */
function chosen(paths: readonly string[], wanted: WantedFile): string | readonly string[] {
  const choice = chooseFile(listing(...paths), wanted);
  return choice.kind === "chosen" ? choice.files.map(({ path }) => path) : choice.reason;
}

const coder = "qwen2.5-coder-7b-instruct";
const repository = [
  ".gitattributes",
  "README.md",
  `${coder}-fp16-00001-of-00002.gguf`,
  `${coder}-fp16-00002-of-00002.gguf`,
  `${coder}-q4_k_m-00001-of-00002.gguf`,
  `${coder}-q4_k_m-00002-of-00002.gguf`,
  `${coder}-q4_k_m.gguf`,
  `${coder}-q8_0-00003-of-00003.gguf`,
  `${coder}-q8_0-00001-of-00003.gguf`,
  `${coder}-q8_0-00002-of-00003.gguf`,
  "mmproj-model-f16.gguf",
  "imatrix.gguf",
];

describe("a quantization", () => {
  test("is found whatever the case, and one file is taken before its split twin", () => {
    for (const quantization of ["Q4_K_M", "q4_k_m", "q4_K_M"]) {
      expect(chosen(repository, { kind: "quantization", quantization })).toEqual([`${coder}-q4_k_m.gguf`]);
    }
  });

  test("in parts is all its parts, in order", () => {
    expect(chosen(repository, { kind: "quantization", quantization: "Q8_0" })).toEqual(
      [1, 2, 3].map((part) => `${coder}-q8_0-0000${part}-of-00003.gguf`),
    );
  });

  test("that is missing is answered with those there are", () => {
    expect(chosen(repository, { kind: "quantization", quantization: "Q2_K" })).toBe(
      "it has no Q2_K; there are F16, Q4_K_M, Q8_0",
    );
  });

  test("that lacks a part is not there", () => {
    const paths = ["m-q8_0-00001-of-00003.gguf", "m-q8_0-00003-of-00003.gguf", "m-q4_0.gguf"];
    expect(chosen(paths, { kind: "quantization", quantization: "Q8_0" })).toBe("it has no Q8_0; there are Q4_0");
  });

  test("may be told by its folder only", () => {
    const paths = ["BF16/model-00001-of-00002.gguf", "BF16/model-00002-of-00002.gguf", "model-UD-Q4_K_XL.gguf"];
    expect(chosen(paths, { kind: "quantization", quantization: "bf16" })).toEqual(paths.slice(0, 2));
    expect(chosen(paths, { kind: "quantization", quantization: "ud-q4_k_xl" })).toEqual(["model-UD-Q4_K_XL.gguf"]);
  });

  test("of two models in one repository is a question, not a guess", () => {
    expect(chosen(["a-q4_k_m.gguf", "b-q4_k_m.gguf"], { kind: "quantization", quantization: "Q4_K_M" })).toBe(
      "several files are Q4_K_M: a-q4_k_m.gguf, b-q4_k_m.gguf",
    );
  });
});

describe("nothing said", () => {
  test("means Q4_K_M where there is one, the only model where there is one, else a question", () => {
    expect(chosen(repository, usual)).toEqual([`${coder}-q4_k_m.gguf`]);
    expect(chosen(["x.gguf", "mmproj-x-f16.gguf", "x.imatrix.gguf"], usual)).toEqual(["x.gguf"]);
    expect(chosen(["gpt-oss-20b-mxfp4.gguf"], usual)).toEqual(["gpt-oss-20b-mxfp4.gguf"]);
    expect(chosen(["m-Q8_0.gguf", "m-Q5_K_M.gguf"], usual)).toEqual(["m-Q5_K_M.gguf"]);
    expect(chosen(["a.gguf", "b.gguf"], usual)).toBe("none of its files is the usual one: a.gguf, b.gguf");
    expect(chosen(["README.md", "mmproj-x.gguf"], usual)).toBe("it holds no GGUF model");
  });

  test("a quantization made with statistics is a model, the statistics are not", () => {
    expect(chosen(["m-imatrix-Q4_K_M.gguf", "m.imatrix.gguf"], usual)).toEqual(["m-imatrix-Q4_K_M.gguf"]);
  });
});

describe("a file", () => {
  test("by its path; any part of a split one is the whole", () => {
    const path = `${coder}-q4_k_m-00002-of-00002.gguf`;
    expect(chosen(repository, { kind: "file", path })).toEqual(
      [1, 2].map((p) => `${coder}-q4_k_m-0000${p}-of-00002.gguf`),
    );
    expect(chosen(repository, { kind: "file", path: `${coder}-Q4_K_M.gguf` })).toEqual([`${coder}-q4_k_m.gguf`]);
  });

  test("that two files have in other capitals is a question; the exact one wins", () => {
    const paths = ["A.gguf", "a.gguf"];
    expect(chosen(paths, { kind: "file", path: "a.gguf" })).toEqual(["a.gguf"]);
    expect(chosen(["A.gguf", "a.gguf"], { kind: "file", path: "a.GGUF" })).toBe(
      "several files have that name in other capitals",
    );
    expect(chosen(paths, { kind: "file", path: "b.gguf" })).toBe("there is no such file, or not all of its parts");
  });
});

test("S-33 a hostile listing chooses nothing that would leave its folder", () => {
  const paths = ["../x-q4_k_m.gguf", "/etc/x-q4_k_m.gguf", "a\\..\\x-q4_k_m.gguf", "x\0-q4_k_m.gguf", "NUL.gguf"];
  expect(chosen(paths, usual)).toBe("it holds no GGUF model");
  for (const path of paths) expect(chosen(paths, { kind: "file", path })).toMatch(/no such file/);
  expect(chosen(["m-00001-of-99999.gguf"], usual)).toBe("it holds no GGUF model");
});

test.each([
  ["qwen2.5-coder-7b-instruct-q4_k_m", "Q4_K_M"],
  ["Model-UD-Q4_K_XL", "UD-Q4_K_XL"],
  ["Model.i1-IQ3_XXS", "IQ3_XXS"],
  ["model-fp16", "F16"],
  ["gpt-oss-20b-MXFP4", "MXFP4"],
  ["Q8_0/part", "Q8_0"],
  ["nomic-embed-text-v1.5", null],
  ["coder-32B-Q4", "Q4"],
])("%s is %s", (name, quantization) => {
  expect(quantizationOf(name)).toBe(quantization);
});

test("the list of quantizations has each once", () => {
  expect(quantizationsOf(listing(...repository))).toEqual(["F16", "Q4_K_M", "Q8_0"]);
});

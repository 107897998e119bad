import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Failure } from "../../../server/domain/failure.ts";
import { readConfigFile } from "../../../server/config/file.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function read(yaml: string): ReturnType<typeof readConfigFile> {
  const file = join(temporaryFolder(), "lanthorn.yaml");
  writeFileSync(file, yaml);
  return readConfigFile(file);
}

function refusal(yaml: string): { readonly line: number | null; readonly why: string | null } {
  try {
    read(yaml);
  } catch (error) {
    const failure = error as Failure;
    expect(failure.code).toBe("cannot_start");
    const line = /, line (\d+) cannot be used\.$/.exec(failure.message)?.[1];
    return { line: line === undefined ? null : Number(line), why: failure.why };
  }
  throw new Error("the file was accepted");
}

const wrongFiles: readonly (readonly [name: string, yaml: string, line: number | null, why: string])[] = [
  [
    "unknown setting",
    "port: 80\nengine:\n  thread: 3\n",
    3,
    'There is no setting "engine.thread". Did you mean "threads"?',
  ],
  ["unknown section", "prot: 80\n", 1, 'There is no setting "prot". Did you mean "port"?'],
  [
    "unknown in a list",
    "models:\n  - path: x\n    contxt: 5\n",
    3,
    'There is no setting "models[0].contxt". Did you mean "context"?',
  ],
  ["wrong type", "# a comment\n\nport: many\n", 3, "port must be a number."],
  ["part of a number", "port: 1.5\n", 1, "port must be a whole number."],
  [
    "wrong type of a share",
    "budgets:\n  caps:\n    a: { usd: 1, warnAt: half }\n",
    3,
    "budgets.caps.a.warnAt must be a number.",
  ],
  ["out of bounds", "models:\n  - path: x\n    slots: 0\n", 3, "models[0].slots must be at least 1."],
  ["missing path", "models:\n  - alias: x\n", 2, "models[0].path must be text."],
  ["section is a number", "host: a\nengine: 5\n", 2, "engine must be a section with settings of its own."],
  ["key twice", "port: 1\nport: 2\n", 2, "Map keys must be unique."],
  ["a list", "- port\n", 1, "The file must be a list of settings like `port: 4747`."],
  ["plain text", "hello\n", 1, "The file must be a list of settings like `port: 4747`."],
];

test.each(wrongFiles)("%s: the line and the reason are named", (_name, yaml, line, why) => {
  expect(refusal(yaml)).toEqual({ line, why });
});

test("broken YAML is named with its line", () => {
  expect(refusal("port: 1\nhosts: [a\n").line).toBe(3);
});

test("a file that explodes when it is expanded is refused", () => {
  const rows = ["a: &a [x,x,x,x,x,x,x,x,x]"];
  for (const [above, name] of ["ab", "bc", "cd", "de"]) rows.push(`${name}: &${name} [${Array(9).fill(`*${above}`)}]`);
  expect(refusal(rows.join("\n")).why).toBe("The file repeats its own parts too often.");
});

test("a file that is far too long is refused before it is parsed", () => {
  expect(refusal(`# ${"x".repeat(300 * 1024)}`).why).toBe("The file is longer than 256 KiB.");
});

test("__proto__ is an unknown setting and nothing else", () => {
  expect(refusal("__proto__: {polluted: 1}\n").why).toContain('There is no setting "__proto__"');
  expect("polluted" in {}).toBe(false);
});

test("an absent file, an empty one and sections with nothing in them set nothing", () => {
  const absent = readConfigFile(join(temporaryFolder(), "lanthorn.yaml")).values;
  expect(read("").values).toEqual(absent);
  const commentedOut = read("engine:\n#  slots: 2\nmodels:\nport:\n");
  expect(commentedOut.values).toEqual(absent);
  expect(commentedOut.has(["port"])).toBe(false);
});

test("a file that may not be read is not taken for an absent one", (context) => {
  if (process.getuid?.() === 0) context.skip("root may read every file, so there is nothing to see");
  const file = join(temporaryFolder(), "lanthorn.yaml");
  writeFileSync(file, "port: 1");
  chmodSync(file, 0);
  expect(() => readConfigFile(file)).toThrow(expect.objectContaining({ code: "cannot_start" }));
});

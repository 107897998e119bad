/** The file of what loads taught: kept for its owner only, bounded, worthless when damaged. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFitLessons } from "../../models/fit-lessons.ts";
import { noCorrections } from "../../server/domain/fit/corrections.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const estimated = { weights: 4e9, kv: 5e8, compute: 3e8 };
const biased = { ...estimated, compute: 3.6e8 };

test("what one process learns another one reads, by architecture and build", () => {
  const path = join(temporaryFolder(), "fit-lessons.json");
  openFitLessons(path).note("qwen2", "engine 1", estimated, biased);
  const lessons = openFitLessons(path);
  expect(lessons.correctionsFor("qwen2", "engine 1").compute).toBeCloseTo(1.2, 10);
  expect(lessons.correctionsFor("qwen2", "engine 2")).toEqual(noCorrections);
  expect(lessons.correctionsFor("llama", "engine 1")).toEqual(noCorrections);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("it stays small: the lesson that is oldest goes", () => {
  const path = join(temporaryFolder(), "fit-lessons.json");
  const lessons = openFitLessons(path);
  for (let index = 0; index < 70; index += 1) lessons.note(`kind ${index}`, "engine", estimated, biased);
  expect(lessons.correctionsFor("kind 0", "engine")).toEqual(noCorrections);
  expect(lessons.correctionsFor("kind 69", "engine").compute).toBeCloseTo(1.2, 10);
  expect(readFileSync(path, "utf8").length).toBeLessThan(32_768);
});

test.each(["", "{", "null", '{"version":1,"lessons":[{"architecture":"qwen2"}]}', '{"version":9,"lessons":[]}'])(
  "a damaged file counts as empty and is replaced: %j",
  (text) => {
    const path = join(temporaryFolder(), "fit-lessons.json");
    writeFileSync(path, text);
    const lessons = openFitLessons(path);
    expect(lessons.correctionsFor("qwen2", "engine")).toEqual(noCorrections);
    lessons.note("qwen2", "engine", estimated, biased);
    expect(lessons.correctionsFor("qwen2", "engine").compute).toBeCloseTo(1.2, 10);
  },
);

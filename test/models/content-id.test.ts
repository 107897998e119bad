import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contentId, createContentIds } from "../../models/content-id.ts";
import { demoCopy } from "../support/demo-copy.ts";
import { temporaryFolder as asyncFolder } from "../support/real-engine.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let folder: Awaited<ReturnType<typeof asyncFolder>>;
let demo: string;
beforeAll(async () => {
  folder = await asyncFolder();
  demo = await demoCopy(folder.path);
});
afterAll(() => folder.remove());

/** A copy whose byte at `at` is another one. */
function changedAt(path: string, at: number): string {
  const copy = join(temporaryFolder(), "changed.gguf");
  copyFileSync(path, copy);
  const file = openSync(copy, "r+");
  writeSync(file, Buffer.from([0xa5]), 0, 1, at);
  closeSync(file);
  return copy;
}

test("a model has one name, wherever it lies and whatever it is called", async () => {
  const copy = join(temporaryFolder(), "other-name.gguf");
  copyFileSync(demo, copy);
  const id = await contentId(demo);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(await contentId(copy)).toBe(id);
});

test("other weights, another header, another length are another model", async () => {
  const size = statSync(demo).size;
  const longer = changedAt(demo, size - 1);
  appendFileSync(longer, "x");
  const others = [
    await contentId(demo),
    await contentId(await demoCopy(folder.path, "second")),
    await contentId(changedAt(demo, size - 1)),
    await contentId(longer),
  ];
  expect(new Set(others).size).toBe(others.length);
});

test("it is computed once for a file, and again when the file has changed", async () => {
  const path = join(temporaryFolder(), "model.gguf");
  copyFileSync(demo, path);
  const ids = createContentIds();
  const first = await ids.of(path);
  expect(await ids.of(path)).toBe(first);
  copyFileSync(await demoCopy(folder.path, "second"), path);
  utimesSync(path, 1_000, 1_000);
  expect(await ids.of(path)).not.toBe(first);
});

test("what is no model has no name", async () => {
  const path = join(temporaryFolder(), "text.gguf");
  writeFileSync(path, "hello");
  await expect(contentId(path)).rejects.toMatchObject({ code: "invalid_request" });
  await expect(createContentIds().of(join(path, "nothing"))).rejects.toThrow();
});

test("all parts of a split model are one content", async () => {
  const parts = temporaryFolder();
  const [first, second] = ["00001", "00002"].map((part) => join(parts, `model-${part}-of-00002.gguf`)) as [
    string,
    string,
  ];
  copyFileSync(demo, first);
  copyFileSync(demo, second);
  const ids = createContentIds();
  const id = await ids.of(first);
  expect(id).not.toBe(await contentId(demo));
  copyFileSync(await demoCopy(folder.path, "second"), second);
  utimesSync(second, 1_000, 1_000);
  expect(await ids.of(first)).not.toBe(id);
});

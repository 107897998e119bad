/** The name of a data folder: by chance, kept in it, and nobody else's. */
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { boxId, knownBoxId } from "../../../server/platform/box-id.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("two folders on one machine have two names, and each keeps its own", () => {
  const [one, other] = [temporaryFolder(), temporaryFolder()];
  expect(knownBoxId(one)).toBeNull();
  const name = boxId(one);
  expect(name).toMatch(/^[0-9a-f]{12}$/);
  expect(boxId(one)).toBe(name);
  expect(knownBoxId(one)).toBe(name);
  expect(boxId(other)).not.toBe(name);
  expect(statSync(join(one, "box.id")).mode & 0o777).toBe(0o600);
});

test("what is no name is replaced by one", () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "box.id"), "office\n");
  expect(knownBoxId(home)).toBeNull();
  expect(boxId(home)).toMatch(/^[0-9a-f]{12}$/);
});

/** Which key a person means. */
import { expect, test } from "vitest";
import { keyMark, selectKey } from "../../../server/cli/key-selector.ts";
import { usualLimits } from "../../../server/domain/caller.ts";
import type { KeyRow } from "../../../server/ledger/rows.ts";

const key = (id: number, name: string, tail: string, revokedAtMs: number | null = null): KeyRow => ({
  id,
  kind: "inference",
  name,
  label: null,
  tail,
  createdAtMs: 1,
  lastUsedAtMs: null,
  revokedAtMs,
  expiresAtMs: null,
  isolate: false,
  limits: usualLimits,
  routes: null,
});
const keys = [key(1, "jonas", "9f3c"), key(2, "ayo", "07ae"), key(3, "jonas", "11bb", 5), key(4, "twin", "aaaa")];

test.each([
  ["1", 1],
  ["9f3c", 1],
  ["lth_…9f3c", 1],
  ["lth_abcdefgh9f3c", 1],
  ["ayo", 2],
  // The other jonas is revoked.
  ["jonas", 1],
  // A revoked one is still found by what is its own.
  ["11bb", 3],
])("%s → %i", (selector, id) => expect(selectKey(keys, selector).id).toBe(id));

test("several are never guessed between", () => {
  const twins = [...keys, key(5, "twin", "bbbb")];
  expect(() => selectKey(twins, "twin")).toThrow(
    expect.objectContaining({ exitCode: 2, why: "4 (twin, lth_…aaaa), 5 (twin, lth_…bbbb)" }),
  );
});

test("none is exit code 5", () => {
  expect(() => selectKey(keys, "lin")).toThrow(expect.objectContaining({ exitCode: 5 }));
  expect(() => selectKey([], "")).toThrow(expect.objectContaining({ exitCode: 5 }));
});

test("a key is shown by its end", () => expect(keyMark(key(1, "jonas", "9f3c"))).toBe("lth_…9f3c"));

import { expect, test, vi } from "vitest";
import { newKeySecret, newRequestId, newSessionToken } from "../../../server/platform/ids.ts";

test("a request id is req_ and 22 base62 characters, and never comes twice", () => {
  const ids = Array.from({ length: 20_000 }, newRequestId);
  for (const id of ids) expect(id).toMatch(/^req_[0-9A-Za-z]{22}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a request id of a later millisecond comes later in the order of text, as the ledger's index has it", async () => {
  const before = newRequestId();
  const madeAtMs = Date.now();
  await vi.waitUntil(() => Date.now() > madeAtMs, { interval: 1 });
  expect(newRequestId() > before).toBe(true);
});

test("a key is lth_ and 43 base62 characters: at least 256 bits", () => {
  expect(newKeySecret()).toMatch(/^lth_[0-9A-Za-z]{43}$/);
  expect(43 * Math.log2(62)).toBeGreaterThanOrEqual(256);
  expect(newKeySecret()).not.toBe(newKeySecret());
});

test("a session token is 43 base62 characters", () => {
  expect(newSessionToken()).toMatch(/^[0-9A-Za-z]{43}$/);
});

test("every character is about equally likely", () => {
  const counts = new Map<string, number>();
  const characters = Array.from({ length: 5000 }, () => newRequestId().slice(11)).join("");
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  const expected = characters.length / 62;
  expect(counts.size).toBe(62);
  // Eight standard deviations: about once in 10^13 runs by chance.
  for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(8 * Math.sqrt(expected));
});

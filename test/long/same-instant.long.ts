import { expect, test } from "vitest";
import { startRace } from "../support/start-race.ts";

test("ten times four servers at the same instant on one data folder: one serves, nothing is harmed", async () => {
  const { serving, addresses, codes, keys, doctor } = await startRace(10, 4);
  expect(serving).toEqual(Array(10).fill(1));
  expect(addresses).toEqual(Array(10).fill(1));
  expect(codes.filter((code) => code !== 0)).toEqual([]);
  expect(keys).toBe(40);
  expect(JSON.parse(doctor.stdout)).toContainEqual(expect.objectContaining({ title: "Ledger", status: "ok" }));
});

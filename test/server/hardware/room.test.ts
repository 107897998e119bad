/** What counts as the machine's room for models while models of ours are in it. */
import { expect, test } from "vitest";
import { readHardwareFile } from "../../../server/hardware/file.ts";
import { roomForModels } from "../../../server/hardware/room.ts";
import type { HardwareView } from "../../../server/domain/hardware.ts";

const gib = 2 ** 30;
const seen = await readHardwareFile("test/fixtures/machines/2x-rtx-3090.json");

function withFree(view: HardwareView, freeBytes: readonly number[]): HardwareView {
  const gpus = view.gpus.map((gpu, at) => ({
    ...gpu,
    memoryFreeBytes: { value: freeBytes[at] ?? 0, source: "nvidia-smi" as const },
  }));
  return { ...view, gpus };
}

test("before the first look nothing is known", () => {
  expect(roomForModels(null).machine()).toBeNull();
});

test("what our models take is not gone: another model of ours can have it", () => {
  const room = roomForModels(20 * gib);
  expect(room.saw(withFree(seen, [23 * gib, 22 * gib]), false)).toBe(true);
  expect(room.saw(withFree(seen, [2 * gib, 3 * gib]), true)).toBe(false);
  expect(room.machine()?.gpus.map(({ freeBytes }) => freeBytes)).toEqual([23 * gib, 22 * gib]);
  expect(room.machine()?.limitBytes).toBe(20 * gib);
});

test("what others take counts as soon as nothing of ours is loaded", () => {
  const room = roomForModels(null);
  room.saw(withFree(seen, [23 * gib, 22 * gib]), false);
  expect(room.saw(withFree(seen, [23 * gib, 10 * gib]), false)).toBe(true);
  expect(room.machine()?.gpus.map(({ freeBytes }) => freeBytes)).toEqual([23 * gib, 10 * gib]);
});

test("a card that is lost is no room, also while the other one is in use", () => {
  const room = roomForModels(null);
  const both = withFree(seen, [23 * gib, 22 * gib]);
  room.saw(both, false);
  const [first, second] = both.gpus;
  if (first === undefined || second === undefined) throw new Error("the recording has two cards");
  const busy = { ...first, memoryFreeBytes: { value: gib, source: "nvidia-smi" as const } };
  expect(room.saw({ ...both, gpus: [busy, { ...second, state: "lost" }] }, true)).toBe(true);
  expect(room.machine()?.gpus.map(({ freeBytes }) => freeBytes)).toEqual([23 * gib]);
});

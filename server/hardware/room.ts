/**
 * What the machine has for models: as it was when none was loaded, because what a model of ours takes is not gone, another can
 * have it. Runs in the server process; told of each look at the hardware.
 */
import type { Machine } from "../domain/fit/machine.ts";
import type { HardwareView } from "../domain/hardware.ts";
import { machineOf } from "./machine.ts";

export interface RoomForModels {
  /** A look at the hardware; `inUse` while a model of ours is loaded or loading. True: the room is another one now. */
  saw(view: HardwareView, inUse: boolean): boolean;
  /** Null before the first look. */
  machine(): Machine | null;
}

/** `limitBytes` is `engine.memoryLimit`; null: none. */
export function roomForModels(limitBytes: number | null): RoomForModels {
  let machine: Machine | null = null;
  return {
    saw: (view, inUse) => {
      const seen = machineOf(view, limitBytes);
      const before = machine;
      // A card that is lost or back changes what there is, whoever uses the others.
      const sameCards = before !== null && namesOf(before) === namesOf(seen);
      if (before !== null && inUse && sameCards) return false;
      machine = before !== null && inUse ? withKnownRoom(seen, before) : seen;
      return JSON.stringify(machine) !== JSON.stringify(before);
    },
    machine: () => machine,
  };
}

function namesOf(machine: Machine): string {
  return JSON.stringify(machine.gpus.map(({ name, totalBytes }) => [name, totalBytes]));
}

/** Cards that were seen empty keep what was free on them then. */
function withKnownRoom(seen: Machine, before: Machine): Machine {
  const known = [...before.gpus];
  const gpus = seen.gpus.map((gpu) => {
    const at = known.findIndex(({ name, totalBytes }) => name === gpu.name && totalBytes === gpu.totalBytes);
    const [old] = at === -1 ? [] : known.splice(at, 1);
    return old === undefined ? gpu : { ...gpu, freeBytes: Math.max(gpu.freeBytes, old.freeBytes) };
  });
  return { ...seen, gpus, memoryFreeBytes: Math.max(seen.memoryFreeBytes, before.memoryFreeBytes) };
}

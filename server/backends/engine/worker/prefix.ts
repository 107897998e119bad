/**
 * Carries out where a slot's prefix comes from: what is lost is saved, what is shared is copied or brought back. Between steps
 * only. Runs in a worker process; `slots.ts` decides.
 */
import type { Slot } from "./job.ts";
import type { NativeModel } from "./native.ts";
import type { Placement } from "./slots.ts";
import type { Snapshots } from "./snapshots.ts";

export class Prefixes {
  readonly #model: Pick<NativeModel, "copy" | "truncate">;
  readonly #snapshots: Snapshots;

  constructor(model: Pick<NativeModel, "copy" | "truncate">, snapshots: Snapshots) {
    this.#model = model;
    this.#snapshots = snapshots;
  }

  /** Puts the shared prefix into `slot`, for somebody of `group`; gives the tokens that need not be computed. */
  async put(
    slot: Slot,
    group: string,
    placement: Exclude<Placement, { type: "wait" }>,
    slots: readonly Slot[],
  ): Promise<number> {
    // What this slot holds and nobody will hold afterwards: somebody may come back for it.
    const lost = placement.type === "reuse" ? slot.tokens.length - placement.keep : slot.tokens.length;
    if (lost > 0) await this.#snapshots.keep(slot, lost);
    slot.group = group;
    if (placement.type === "restore") {
      slot.tokens = Array.from(await this.#snapshots.bring(slot.sequence, placement.snapshot));
    }
    if (placement.type === "copy") {
      const source = slots[placement.source];
      const copied = source === undefined ? 0 : await this.#model.copy(slot.sequence, source.sequence);
      slot.tokens = source !== undefined && copied === source.tokens.length ? source.tokens.slice() : [];
    }
    if (slot.tokens.length < placement.keep) {
      // It could not be had, and what the sequence holds now is unknown: all of it is computed.
      this.clear(slot);
      return 0;
    }
    if (slot.tokens.length === placement.keep) return placement.keep;
    const cut = this.#model.truncate(slot.sequence, placement.keep);
    slot.tokens.length = cut ? placement.keep : 0;
    return slot.tokens.length;
  }

  clear(slot: Slot): void {
    this.#model.truncate(slot.sequence, 0);
    slot.tokens = [];
  }
}

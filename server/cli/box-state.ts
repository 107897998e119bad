/**
 * What the box is doing and what it serves, in one look: `/admin/state`, with the number of slots from `/v1/models`, because a
 * model that is not loaded has no slots to show yet.
 */
import type { z } from "zod";
import { modelsAnswer, stateAnswer } from "./answers.ts";
import type { Client } from "./client.ts";

type State = z.output<typeof stateAnswer>;

export type BoxModel = State["models"][number] & {
  /** Requests it answers at the same time when loaded; null when the server does not say. */
  readonly slotCount: number | null;
};

export interface BoxState extends Omit<State, "models"> {
  readonly models: readonly BoxModel[];
}

export async function readBoxState(client: Client): Promise<BoxState> {
  const [state, served] = await Promise.all([
    client.call("GET", "/admin/state", stateAnswer),
    client.call("GET", "/v1/models", modelsAnswer),
  ]);
  const slotsOf = new Map(served.data.map((model) => [model.id, model.slots ?? null]));
  return {
    ...state,
    models: state.models.map((model) => ({
      ...model,
      slotCount: slotsOf.get(model.id) ?? (model.slots.length === 0 ? null : model.slots.length),
    })),
  };
}

/** Slots that hold a request now. */
export function answering(state: Pick<State, "models"> | BoxState): number {
  return state.models.flatMap((model) => model.slots).filter((slot) => slot.state !== "idle").length;
}

/** True while somebody is being answered or waits. */
export function isBusy(state: BoxState): boolean {
  return state.queue.length > 0 || answering(state) > 0;
}

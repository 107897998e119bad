/** Why an answer ended, in both directions. Pure. */
import type { FinishReason } from "../../domain/chat.ts";

const wireReasons = Object.freeze({
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
  pause: "pause_turn",
}) satisfies Record<FinishReason, string>;

export interface WireStop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** `refused`: the answer holds a refusal, whatever its end was called. */
export function wireStop(reason: FinishReason, stopSequence: string | undefined, refused: boolean): WireStop {
  if (refused) return { stop_reason: "refusal", stop_sequence: null };
  if (reason === "stop" && stopSequence !== undefined) {
    return { stop_reason: "stop_sequence", stop_sequence: stopSequence };
  }
  return { stop_reason: wireReasons[reason], stop_sequence: null };
}

const reasons: Readonly<Record<string, FinishReason>> = Object.freeze({
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  pause_turn: "pause",
  refusal: "content-filter",
});

/** A reason nobody here knows is an end like any other, unless there are calls to be answered. */
export function finishReasonOf(wire: string | null, hasCalls: boolean): FinishReason {
  return (wire === null ? undefined : reasons[wire]) ?? (hasCalls ? "tool-calls" : "stop");
}

/** What a family of models has in common in how it answers. Types only. */
import type { CallForm } from "../grammar/tool-call.ts";
import type { ReplyOutput } from "./calls.ts";
import type { ReplyInput, Reading } from "./input.ts";
import type { ThinkingTags } from "./thinking.ts";

export interface ReplyFamily {
  /** Markers that are control tokens in most files, which leave no text unless they are asked for. */
  readonly markers: readonly string[];
  /** Tags around reasoning; the first pair is the usual one. */
  readonly thinking: readonly ThinkingTags[];
  /** Reads an answer from behind its reasoning to its end. */
  readonly read: (input: ReplyInput, output: ReplyOutput) => Reading;
  /** How calls are written when a grammar forces them. */
  readonly forced: CallForm;
}

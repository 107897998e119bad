/**
 * What was done to a request before it ran, or could not be kept of it: written into its row, so that whoever asked can see
 * it. Pure data; the codes are stable, the words are for people.
 */

export type NoteCode =
  /** Volatile text near the head of the prompt was taken out, so that the prefix stays equal (`domain/hygiene`). */
  | "prompt_normalised"
  /** A constraint in a tool's schema cannot be kept by a grammar; `detail` is its path. */
  | "tool_schema_unenforced"
  /** The client wished something that this box decides itself, or cannot do; `detail` is the field. */
  | "wish_not_kept"
  /** A custom tool's grammar is not kept: its text is whatever the model writes; `detail` is the tool's name. */
  | "tool_grammar_unenforced"
  /** A tool that only a vendor can run, or a wish for one, was left out; `detail` is its type. */
  | "tool_ignored"
  /** A piece of the conversation that nobody here understands was left out; `detail` is its type. */
  | "item_ignored";

export interface RequestNote {
  readonly code: NoteCode;
  /** Which rule or constraint. Never text of the prompt. */
  readonly detail: string;
}

export const noteWords: Readonly<Record<NoteCode, string>> = Object.freeze({
  prompt_normalised: "text that changes with every turn was left out of the prompt",
  tool_schema_unenforced: "a constraint of a tool's schema could not be enforced",
  wish_not_kept: "a wish that this box decides itself, or cannot keep, was left aside",
  tool_grammar_unenforced: "a custom tool's grammar could not be enforced",
  tool_ignored: "a tool that only its vendor can run was left out",
  item_ignored: "a piece of the conversation of an unknown kind was left out",
});

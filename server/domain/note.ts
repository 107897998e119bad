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
  | "item_ignored"
  /** How a route's mode went; `detail` names targets and figures. */
  | "draft_given"
  | "draft_discarded"
  | "draft_kept"
  | "no_draft"
  | "judged"
  | "voters_agreed"
  | "voters_disagreed"
  | "briefed"
  | "brief_failed"
  | "tier_chosen"
  | "tier_assumed"
  /** The route's attempts did not suffice for what its mode would have asked next; `detail` says what that was. */
  | "attempts_used_up"
  /** A copy of another request, for comparison; `detail` is that one's id. */
  | "shadow_of"
  /** A budget is past the share that warns; `detail` has its figures. */
  | "budget_near"
  /** A hard budget counts this attempt and nobody bounded its answer; `detail` is the bound, in tokens. */
  | "answer_bounded"
  /** It ran on a rented machine; `detail` is its lease. */
  | "rented_instance"
  /** Another box asked, for a request of its own; `detail` is that one's id in its ledger. */
  | "asked_by_box"
  /** A line of a batch; `detail` is the batch's id and the line's number. */
  | "batch_line";

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
  draft_given: "the draft of the first group was given",
  draft_discarded: "the draft was not given; the next group was asked",
  draft_kept: "the draft was given although it was unsure, as nobody else answered",
  no_draft: "nobody could draft; the next group was asked",
  judged: "a model judged the answer",
  voters_agreed: "the voters agreed",
  voters_disagreed: "the voters did not agree",
  briefed: "the older part of the conversation was condensed before it was answered",
  brief_failed: "the conversation was to be condensed, and could not be",
  tier_chosen: "a model chose the tier",
  tier_assumed: "the tier could not be told, and the usual one was taken",
  attempts_used_up: "the route allows no more attempts, so the mode asked no further",
  shadow_of: "a copy of another request",
  budget_near: "a budget is nearly used up",
  answer_bounded: "the answer was bounded, because a budget counts it",
  rented_instance: "it ran on a rented machine",
  asked_by_box: "asked by another box, for a request that its ledger has, and counts, too",
  batch_line: "a line of a batch",
});

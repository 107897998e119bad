/** What a mode of a route is given and gives: the contract of `server/router/modes`. Types only. */
import type { ChatEvent, ChatRequest, EndEvent } from "../../domain/chat.ts";
import type { Failure } from "../../domain/failure.ts";
import type { RequestNote } from "../../domain/note.ts";
import type { Plan, PlanStep } from "../../domain/routing/plan.ts";

/** An answer that was asked for and not handed on. */
export interface Hidden {
  /** Without the end. */
  readonly events: readonly ChatEvent[];
  readonly end: EndEvent;
  /** Null: it finished. */
  readonly failure: Failure | null;
  /** The last one asked. */
  readonly target: string;
}

/** Each try of each call is an attempt of the request, with a row and a price of its own. */
export interface ModeRun {
  readonly plan: Plan;
  readonly request: ChatRequest;
  readonly signal: AbortSignal;
  /** Attempts that the route's limit still allows the request. */
  attemptsLeft(): number;
  /** Hands on what the steps say, one after another as after any failure. Throws a Failure before the first event. */
  stream(steps: readonly PlanStep[], request: ChatRequest): AsyncIterable<ChatEvent>;
  /** Within so many attempts; fewer than 1: nobody is asked, and that is its failure. Never throws. */
  hidden(plan: Plan, steps: readonly PlanStep[], request: ChatRequest, mostAttempts: number): Promise<Hidden>;
  /** Into the request's row. */
  note(note: RequestNote): void;
  /** Whose words the client gets, where others were asked after it. */
  answeredBy(target: string): void;
}

export type Mode = (run: ModeRun) => AsyncIterable<ChatEvent>;

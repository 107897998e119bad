/**
 * One try at one target: what comes before content is held, so that a failure until then can still move the request; what comes
 * after goes out as it comes. Server process.
 */
import { type ChatEvent, type EndEvent, isContent, isEnd } from "../domain/chat.ts";
import type { WholeEvent } from "../domain/embedding.ts";
import { noEnd } from "../domain/end.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { WalkOrder } from "../domain/routing/walk.ts";
import { noTimings, noUsage } from "../domain/usage.ts";
import { type AttemptBounds, type Cut, Cutter } from "./cutter.ts";

/** Whatever is asked for ends in the same three ways. */
export type AnyEvent = ChatEvent | WholeEvent<unknown>;

export interface AttemptParts<Event extends AnyEvent> {
  ask(signal: AbortSignal): AsyncIterable<Event>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly bounds: AttemptBounds;
  /** Called at most once, at the first content. */
  begun(): void;
  /** Called once. `ttftMs`: until the first content; null: there was none. */
  closed(
    end: EndEvent,
    facts: { readonly ttftMs: number | null; readonly totalMs: number; readonly isDeadline: boolean },
  ): void;
  /** What follows a failure that came before any content. */
  decide(failure: Failure): WalkOrder;
}

export type AttemptOutcome =
  /** The answer has ended, well or not. */
  | { readonly moves: false }
  | { readonly moves: true; readonly order: Extract<WalkOrder, { do: "ask" }>; readonly failure: Failure };

/** Events that may be held; a target that sends more without content has begun to answer. */
const mostHeld = 512;

const ended: AttemptOutcome = Object.freeze({ moves: false });

/** Throws the failure where nothing has left and nobody else is to be asked; otherwise failures are events. */
export async function* oneAttempt<Event extends AnyEvent>(
  parts: AttemptParts<Event>,
): AsyncGenerator<Event | EndEvent, AttemptOutcome> {
  const { clock, signal, bounds } = parts;
  const startedMs = clock.monotonicMs();
  const cutter = new Cutter<Event>(clock, signal, bounds);
  let held: Event[] = [];
  let hasBegun = false;
  let ttftMs: number | null = null;
  let isClosed = false;
  const close = (end: EndEvent, isDeadline = false) => {
    if (isClosed) return;
    isClosed = true;
    parts.closed(end, { ttftMs, totalMs: clock.monotonicMs() - startedMs, isDeadline });
  };
  /** Null: the attempt's end is the request's. */
  const moveAfter = (failure: Failure): AttemptOutcome | null => {
    if (hasBegun || signal.aborted) return null;
    const order = parts.decide(failure);
    return order.do === "ask" ? { moves: true, order, failure } : null;
  };
  try {
    cutter.begin(parts.ask(cutter.signal));
    for (;;) {
      const step = await cutter.next();
      if ("by" in step) {
        const end = endOf(step, await cutter.lastWords());
        const isDeadline = step.by === "bound" && step.isDeadline;
        close(end, isDeadline);
        const moved = end.type === "failed" && !isDeadline ? moveAfter(end.failure) : null;
        if (moved !== null) return moved;
        yield end;
        return ended;
      }
      if (step.done === true) throw noEnd();
      const event = step.value;
      if (isEnd(event)) {
        close(event);
        const failure = failureOf(event, hasBegun);
        const moved = failure === null ? null : moveAfter(failure);
        if (moved !== null) return moved;
        // Frames of an answer that never came are of no use to anybody; what was noted about the request is.
        if (!hasBegun)
          for (const early of held) if (event.type === "finished" || early.type === "accepted") yield early;
        yield event;
        return ended;
      }
      if (hasBegun) {
        yield event;
        continue;
      }
      if (event.type === "started") cutter.started();
      held.push(event);
      if (!isRealContent(event) && held.length < mostHeld) continue;
      if (isRealContent(event)) ttftMs = clock.monotonicMs() - startedMs;
      cutter.hasContent();
      hasBegun = true;
      parts.begun();
      const early = held;
      held = [];
      for (const one of early) yield one;
    }
  } catch (thrown) {
    if (isClosed) throw thrown;
    const failure = asFailure(thrown);
    const end: EndEvent = { type: "failed", failure, usage: noUsage, timings: noTimings };
    close(end);
    const moved = moveAfter(failure);
    if (moved !== null) return moved;
    if (!hasBegun) throw failure;
    yield end;
    return ended;
  } finally {
    // Whoever read us has left: the backend hears of it by its own iterator's end, the row by this.
    close({ type: "aborted", usage: noUsage, timings: noTimings });
    cutter.close();
  }
}

/** An empty first piece of text is how some say that they begin. */
function isRealContent(event: AnyEvent): boolean {
  if (!isContent(event)) return false;
  return !((event.type === "text" || event.type === "reasoning") && event.text === "");
}

/** A failure that another target may mend: also an answer of which the provider's filter let nothing through. */
function failureOf(event: EndEvent, hasBegun: boolean): Failure | null {
  if (event.type === "failed") return event.failure;
  if (event.type === "aborted" || hasBegun || event.finishReason !== "content-filter") return null;
  return new Failure("content_filtered", "The provider's filter withheld the answer.");
}

/** What it used counts, whoever ended it. */
function endOf(cut: Cut, own: EndEvent | null): EndEvent {
  const spent = own ?? { usage: noUsage, timings: noTimings };
  const { usage, timings } = spent;
  const upstream = "upstream" in spent && spent.upstream !== undefined ? { upstream: spent.upstream } : {};
  if (cut.by === "client") return { type: "aborted", usage, timings, ...upstream };
  return { type: "failed", failure: cut.failure, usage, timings, ...upstream };
}

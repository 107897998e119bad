/**
 * The rows of one request and what it costs, attempt by attempt. Used by the spine only. Runs in the server process; knows
 * no backend, no wire shape and no HTTP.
 */
import { type AttemptCost, costOfAttempt, type SeenOfAttempt, type UpstreamName } from "./domain/attempt-cost.ts";
import type { AttemptSize } from "./domain/budget/attempt-size.ts";
import type { Reservation, Reserve } from "./domain/budget/reservation.ts";
import type { Caller } from "./domain/caller.ts";
import { type ChatEvent, type EndEvent, isContent } from "./domain/chat.ts";
import { type CostSum, sumOfCosts } from "./domain/cost-sum.ts";
import type { WholeEvent } from "./domain/embedding.ts";
import { Failure, type FailureCode } from "./domain/failure.ts";
import type { LocalCost } from "./domain/local-cost/local-meter.ts";
import type { Cost } from "./domain/money.ts";
import type { RequestNote } from "./domain/note.ts";
import type { Observer } from "./domain/observation.ts";
import type { Clock, Log, Publish } from "./domain/ports.ts";
import type { Pricing } from "./domain/pricing/priced.ts";
import type { AttemptPass } from "./domain/rate.ts";
import { type PlannedAttempt, type Target, targetName } from "./domain/routing/plan.ts";
import { isTrialName } from "./domain/routing/trial.ts";
import { keptAnswers } from "./domain/kept-answer.ts";
import { addTimings, addUsage, noTimings, noUsage, type Timings, type Usage } from "./domain/usage.ts";
import type { LedgerWriter } from "./ledger/writer.ts";

export type AnyEvent = ChatEvent | WholeEvent<unknown>;

export type AccountEnd = EndEvent | { readonly type: "refused"; readonly failure: Failure };

/** What is known of a request before it runs. */
export interface AccountFacts {
  readonly requestId: string;
  readonly caller: Caller;
  readonly dialect: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly alias: string;
  readonly stream: boolean;
  /** About how many tokens the prompt has; asked only when an upstream could not say. */
  readonly estimatePrompt: () => number;
  readonly signal: AbortSignal | null;
  /** What it is for; absent: nobody said. */
  readonly task?: string | null;
}

export interface AccountPorts {
  readonly ledger: LedgerWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  /** Absent: nothing has a price. */
  readonly pricing?: Pricing;
  /** Whose machine a target is, and the model's name there; null (or no such port): this box's own. */
  readonly upstreamOf?: (target: Target) => UpstreamName | null;
  /** Limits of providers: lets an attempt in, makes it wait, or throws. Null: there is no limit. */
  readonly admitAttempt?: (
    provider: string,
    wish: { readonly priority: number; readonly estimateTokens: () => number; readonly signal: AbortSignal | null },
  ) => AttemptPass | Promise<AttemptPass> | null;
  /** Holds what an attempt at a provider may cost, or throws `budget_exceeded`; absent: nothing is held. */
  readonly reserve?: Reserve;
  /** What attempts on this box cost; absent: nobody knows. */
  readonly localCost?: LocalCost;
  /** Absent: nobody counts. */
  readonly observer?: Observer;
}

/** One try, while it runs. */
interface OpenAttempt {
  readonly target: string;
  readonly place: Target;
  readonly upstream: UpstreamName | null;
  readonly startedMs: number;
  readonly startedAtMs: number;
  promptTokens: number | null;
  cachedTokens: number;
  contentCharacters: number;
  reasoningCharacters: number;
  pass: AttemptPass | null;
  /** What is held for it; null: nothing. */
  reservation: Reservation | null;
  /** An answer that was there already: nothing is computed and nothing is paid. */
  readonly kept: boolean;
}

/** Characters of an alias that a row keeps. */
const longestAlias = 200;
const nothing: Cost = Object.freeze({ known: true, nanos: 0, basis: "measured" });
const notPriced: Cost = Object.freeze({ known: false, reason: "not_priced" });

/** The rows of one request. Opened when made, closed once. */
export class Account {
  readonly #facts: AccountFacts;
  readonly #ports: AccountPorts;
  readonly #startedMs: number;
  /** As rows and budgets have it. */
  readonly #alias: string;
  readonly #open = new Map<number, OpenAttempt>();
  readonly #costs: Cost[] = [];
  /** The attempt that events come from; null: none runs on another's machine. */
  #paid: OpenAttempt | null = null;
  #target: string | null = null;
  #usage: Usage = noUsage;
  #timings: Timings = noTimings;
  #ttftMs: number | null = null;
  /** What was noted when the request was read; each attempt adds its own. */
  #read: readonly RequestNote[] = [];
  #notes: readonly RequestNote[] = [];
  #plan: unknown = undefined;
  #closed = false;

  constructor(facts: AccountFacts, ports: AccountPorts) {
    this.#facts = facts;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
    this.#alias = aliasOfRow(facts.alias);
    const { requestId, caller, dialect, startedAtMs, stream } = facts;
    ports.ledger.openRequest({
      id: requestId,
      startedAtMs,
      callerKind: caller.kind,
      keyId: caller.keyId,
      callerName: caller.name,
      dialect,
      alias: this.#alias,
      stream,
      task: facts.task ?? null,
    });
    ports.observer?.requestBegan();
  }

  /** The last target tried. */
  get target(): string | null {
    return this.#target;
  }

  /** What the attempts that have ended cost together; one that still runs is an unknown part of it. */
  sum(): CostSum {
    return sumOfCosts(
      this.#open.size === 0 ? this.#costs : [...this.#costs, ...Array(this.#open.size).fill(notPriced)],
    );
  }

  /** Words about a budget that an attempt found nearly used up; null: none did. */
  get budgetNear(): string | null {
    return this.#read.findLast(({ code }) => code === "budget_near")?.detail ?? null;
  }

  planned(record: unknown): void {
    this.#plan = record;
  }

  /** A promise for an attempt that costs money: it must not be made before that resolves, and not at all if it rejects. */
  openAttempt(number: number, { target, reason, size }: PlannedAttempt): void | Promise<void> {
    const upstream = this.#ports.upstreamOf?.(target) ?? null;
    const name = targetName(target);
    const attempt: OpenAttempt = {
      target: name,
      place: target,
      upstream,
      startedMs: this.#ports.clock.monotonicMs(),
      startedAtMs: this.#ports.clock.now(),
      promptTokens: null,
      cachedTokens: 0,
      contentCharacters: 0,
      reasoningCharacters: 0,
      pass: null,
      reservation: null,
      kept: target.backendId === keptAnswers,
    };
    this.#open.set(number, attempt);
    this.#target = name;
    this.#paid = upstream === null ? null : attempt;
    const row = { requestId: this.#facts.requestId, number, target: name, reason, offsetMs: this.#elapsedMs() };
    if (upstream === null) {
      this.#ports.ledger.openAttempt(row);
      return;
    }
    try {
      attempt.reservation = this.#reserve(number, upstream, size?.() ?? null);
    } catch (refusal) {
      this.#ports.ledger.openAttempt({ ...row, upstream });
      const refused = Promise.reject(refusal);
      // Whoever has left already does not ask why.
      refused.catch(() => {});
      return refused;
    }
    const { reservation } = attempt;
    const held = reservation === null ? {} : { heldNanos: reservation.heldNanos };
    const committed = this.#ports.ledger.openPaidAttempt({ ...row, upstream, ...held });
    return this.#openPaid(attempt, committed, upstream.provider);
  }

  /** In one turn of the event loop with the look at the budgets; nothing is held when it throws. */
  #reserve(attempt: number, upstream: UpstreamName, size: AttemptSize | null): Reservation | null {
    if (size === null || this.#ports.reserve === undefined) return null;
    const { requestId, caller, startedAtMs } = this.#facts;
    const alias = this.#alias;
    const reservation = this.#ports.reserve({ requestId, attempt, caller, alias, upstream, startedAtMs, size });
    for (const detail of reservation.warnings) this.#noteOnce({ code: "budget_near", detail });
    if (reservation.maxTokens !== null) {
      this.#noteOnce({ code: "answer_bounded", detail: `${reservation.maxTokens} tokens` });
    }
    return reservation;
  }

  async #openPaid(attempt: OpenAttempt, committed: Promise<void>, provider: string): Promise<void> {
    await committed;
    const { caller, estimatePrompt, signal } = this.#facts;
    const priority = caller.limits?.priority ?? 0;
    const admitted = this.#ports.admitAttempt?.(provider, { priority, estimateTokens: estimatePrompt, signal }) ?? null;
    attempt.pass = admitted instanceof Promise ? await admitted : admitted;
    // It was closed while it waited.
    if (this.#closed) attempt.pass?.leave();
  }

  /** The bound of an attempt's answer that budgets ask for; null: none. */
  boundOf(number: number): number | null {
    return this.#open.get(number)?.reservation?.maxTokens ?? null;
  }

  closeAttempt(number: number, end: EndEvent): void {
    const attempt = this.#open.get(number);
    if (attempt === undefined) return;
    this.#open.delete(number);
    if (this.#paid === attempt) this.#paid = null;
    const { usage, cost, pricing: priced } = this.#priced(attempt, end);
    const settled = attempt.reservation?.settle(cost, usage) ?? null;
    const pricing = settled?.isOverrun === true ? flagged(priced, "over_hold") : priced;
    const countedNanos = settled?.countedNanos ?? null;
    this.#costs.push(cost);
    this.#usage = addUsage(this.#usage, usage);
    this.#timings = addTimings(this.#timings, end.timings);
    attempt.pass?.settle(usage.promptTokens + usage.completionTokens);
    attempt.pass?.leave();
    const { status, failureCode } = outcomeOf(end, this.#facts.signal);
    this.#ports.ledger.closeAttempt({
      requestId: this.#facts.requestId,
      number,
      status,
      failureCode,
      durationMs: Math.round(this.#ports.clock.monotonicMs() - attempt.startedMs),
      usage,
      timings: end.timings,
      cost,
      ...(pricing === null ? {} : { pricing }),
      ...(end.upstreamRequestId === undefined ? {} : { upstreamRequestId: end.upstreamRequestId }),
      ...(countedNanos === null ? {} : { countedNanos }),
      ...(attempt.kept ? { keptUsage: end.usage } : {}),
    });
    const { target } = attempt;
    const driftNanos = pricing?.driftNanos ?? null;
    this.#ports.observer?.attemptEnded({ target, status, failureCode, usage, timings: end.timings, cost, driftNanos });
  }

  /** A fault in the arithmetic loses the price and never the row. */
  #priced(attempt: OpenAttempt, end: EndEvent): AttemptCost {
    if (attempt.kept) return { usage: noUsage, cost: nothing, pricing: null };
    const { localCost } = this.#ports;
    if (attempt.upstream === null && localCost !== undefined) {
      const cost = localCost.take(this.#facts.requestId, attempt.place);
      return { usage: end.usage, cost: cost ?? notPriced, pricing: null };
    }
    const { upstream, startedAtMs, cachedTokens, contentCharacters, reasoningCharacters } = attempt;
    const promptTokens = upstream === null ? 0 : (attempt.promptTokens ?? this.#facts.estimatePrompt());
    const seen: SeenOfAttempt = { promptTokens, cachedTokens, contentCharacters, reasoningCharacters };
    const facts = { upstream, startedAtMs, end, seen };
    try {
      return costOfAttempt(facts, this.#ports.pricing ?? null);
    } catch (thrown) {
      this.#ports.log.error({ requestId: this.#facts.requestId, err: thrown }, "an attempt could not be priced");
      const unpriced = costOfAttempt(facts, null);
      return { ...unpriced, pricing: flagged(unpriced.pricing, "not_computed") };
    }
  }

  note(notes: readonly RequestNote[]): void {
    this.#read = notes;
    this.#notes = notes;
  }

  #noteOnce(note: RequestNote): void {
    if (!this.#read.some(({ code, detail }) => code === note.code && detail === note.detail)) this.addNote(note);
  }

  /** How the route's mode went; stays with the request whoever answers. */
  addNote(note: RequestNote): void {
    this.#read = [...this.#read, note];
    this.#notes = [...this.#notes, note];
  }

  /** An attempt's words that the client does not hear. */
  hid(number: number, event: AnyEvent): void {
    const attempt = this.#open.get(number);
    if (attempt !== undefined && attempt.upstream !== null) look(event, attempt);
  }

  answeredBy(target: string): void {
    this.#target = target;
  }

  see(event: AnyEvent): void {
    if (event.type === "accepted" && event.notes !== undefined) this.#notes = [...this.#read, ...event.notes];
    if (this.#ttftMs === null && isContent(event)) this.#ttftMs = this.#elapsedMs();
    if (this.#paid !== null) look(event, this.#paid);
  }

  /** Writes the end once; later calls do nothing. A ledger that cannot be written never ends an answer. */
  async close(end: AccountEnd): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { requestId, dialect, alias } = this.#facts;
    const tried = this.#target !== null;
    const { status, failureCode } =
      end.type === "refused"
        ? ({ status: tried ? "failed" : "refused", failureCode: end.failure.code } as const)
        : outcomeOf(end, this.#facts.signal);
    const durationMs = this.#elapsedMs();
    const { cost, knownNanos, unknownParts } = this.sum();
    const written = this.#ports.ledger.closeRequest({
      id: requestId,
      status,
      finishReason: end.type === "finished" ? end.finishReason : null,
      failureCode,
      durationMs,
      ttftMs: this.#ttftMs,
      usage: this.#usage,
      timings: this.#timings,
      cost,
      knownNanos,
      unknownAttempts: unknownParts,
      notes: this.#notes,
      plan: this.#plan,
    });
    for (const { pass, reservation, place } of this.#open.values()) {
      pass?.leave();
      // The ledger closes its row without a cost: budgets count what was held, as they will after a restart.
      reservation?.forfeit();
      this.#ports.localCost?.forget(requestId, place);
    }
    this.#ports.observer?.requestEnded({
      dialect,
      // Names on trial are new ones each time: not for labels, which are few.
      alias: tried && !isTrialName(alias) ? alias : null,
      target: this.#target,
      status,
      failureCode,
      durationMs,
      ttftMs: this.#ttftMs,
      usage: this.#usage,
    });
    try {
      await written;
    } catch (thrown) {
      this.#ports.log.error({ requestId, err: thrown }, "the ledger could not be written; the row is kept for later");
    }
    this.#ports.publish({ type: "request", id: requestId, status });
  }

  #elapsedMs(): number {
    return Math.round(this.#ports.clock.monotonicMs() - this.#startedMs);
  }
}

/** An answer that this box itself cut has another reader than one whose reader left. */
function outcomeOf(
  end: EndEvent,
  signal: AbortSignal | null,
): { readonly status: "done" | "failed" | "aborted" | "interrupted"; readonly failureCode: FailureCode | null } {
  if (end.type === "finished") return { status: "done", failureCode: null };
  if (end.type === "failed") return { status: "failed", failureCode: end.failure.code };
  const cutBy = signal?.reason instanceof Failure ? signal.reason.code : null;
  if (cutBy === null || cutBy === "cancelled") return { status: "aborted", failureCode: null };
  return { status: cutBy === "shutting_down" ? "interrupted" : "failed", failureCode: cutBy };
}

function flagged(pricing: AttemptCost["pricing"], flag: string): AttemptCost["pricing"] {
  return pricing === null ? null : { ...pricing, flags: [...pricing.flags, flag] };
}

/** Half a character, sent so or cut so, is no text the ledger could keep. */
function aliasOfRow(alias: string): string {
  return alias.slice(0, longestAlias).toWellFormed();
}

/** Counts what an upstream said and sent, for the case that it cannot say at the end what it used. */
function look(event: AnyEvent, attempt: OpenAttempt): void {
  switch (event.type) {
    case "started":
      if (event.promptTokens > 0) attempt.promptTokens = event.promptTokens;
      attempt.cachedTokens = event.cachedTokens;
      return;
    case "text":
    case "refusal":
    case "tool-arguments":
      attempt.contentCharacters += event.text.length;
      return;
    case "reasoning":
      attempt.contentCharacters += event.text.length;
      attempt.reasoningCharacters += event.text.length;
      return;
    case "tool-call":
      attempt.contentCharacters += event.name.length;
      return;
  }
}

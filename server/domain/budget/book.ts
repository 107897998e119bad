/**
 * What budgets have spent, hold and have left: reserve before an attempt, settle after it. Pure state: no clock, no I/O. Runs in
 * the server process, in one turn of the event loop for each step, so that at every instant
 *
 *   spent + held - overrun <= limit
 *
 * for every hard budget, where overrun is what a provider took beyond what was held for it. Several budgets are one step: an
 * attempt is held in all that it counts against, or in none. A limit that is lowered below what is spent or held already is
 * passed from the start; nothing more is let in.
 *
 * A request counts on the day it began, wherever its attempts end: the sums are those of the ledger's rows by their start.
 */
import type { Nanos } from "../money.ts";
import { type Budget, type BudgetStanding, type Spender, subjectOf } from "./budget.ts";
import { spanOf } from "./period.ts";
import { addDays, type Day } from "../day.ts";

/** What one spender's attempts cost on one day. */
export interface DaySum {
  readonly spender: Spender;
  readonly day: Day;
  readonly spentNanos: Nanos;
  readonly overrunNanos: Nanos;
}

/** An attempt that is under way. */
export interface Hold {
  readonly spender: Spender;
  readonly day: Day;
  readonly nanos: Nanos;
}

export type ReserveOutcome =
  | { readonly granted: true; readonly hold: Hold; readonly standings: readonly BudgetStanding[] }
  /** The budgets that it does not fit into. */
  | { readonly granted: false; readonly refusedBy: readonly BudgetStanding[] };

export interface Settled {
  readonly overrunNanos: Nanos;
  readonly standings: readonly BudgetStanding[];
}

interface Window {
  readonly budget: Budget;
  readonly subject: string;
  readonly from: Day;
  readonly until: Day;
  spent: Nanos;
  held: Nanos;
  overrun: Nanos;
}

interface Tally {
  readonly spender: Spender;
  readonly day: Day;
  spent: Nanos;
  overrun: Nanos;
}

/** The longest period, and time for what ends late. */
const daysKept = 62;
/** No request tries on for so long after the period it began in. */
const daysOfLateAttempts = 8;

export class BudgetBook {
  #budgets: readonly Budget[] = [];
  /** What was spent, by day and spender: what windows are made from when a budget comes or changes. */
  readonly #tallies = new Map<string, Tally>();
  readonly #holds = new Set<Hold>();
  readonly #windows = new Map<string, Window>();
  #heldNanos = 0;

  /** `sums`: of everything that counts still, from the ledger. */
  constructor(sums: readonly DaySum[] = []) {
    for (const { spender, day, spentNanos, overrunNanos } of sums) this.#tally(spender, day, spentNanos, overrunNanos);
  }

  /** Of all attempts under way, whether a budget is about them or not. */
  get heldNanos(): Nanos {
    return this.#heldNanos;
  }

  get openHolds(): number {
    return this.#holds.size;
  }

  setBudgets(budgets: readonly Budget[]): void {
    this.#budgets = budgets;
    this.#windows.clear();
    for (const { spender, day, spent, overrun } of this.#tallies.values()) {
      for (const window of this.#windowsOf(spender, day)) {
        window.spent += spent;
        window.overrun += overrun;
      }
    }
    for (const { spender, day, nanos } of this.#holds) {
      for (const window of this.#windowsOf(spender, day)) window.held += nanos;
    }
  }

  /** Whether a hard budget is about this spender. */
  isBounded(spender: Spender): boolean {
    return this.#budgets.some(({ hard, of }) => hard && subjectOf(of, spender) !== null);
  }

  /** `nanos` is the most that the attempt may cost; what costs nothing is never refused. */
  reserve(spender: Spender, day: Day, nanos: Nanos): ReserveOutcome {
    const windows = this.#windowsOf(spender, day);
    const full = windows.filter(
      ({ budget, spent, held }) => budget.hard && nanos > 0 && spent + held + nanos > budget.limitNanos,
    );
    if (full.length > 0) return { granted: false, refusedBy: full.map(standingOf) };
    const hold: Hold = { spender, day, nanos };
    this.#holds.add(hold);
    this.#heldNanos += nanos;
    for (const window of windows) window.held += nanos;
    return { granted: true, hold, standings: windows.map(standingOf) };
  }

  /** Null: it was settled before. `nanos` is what the attempt is booked at: less than held, or more where a provider took it. */
  settle(hold: Hold, nanos: Nanos): Settled | null {
    if (!this.#holds.delete(hold)) return null;
    const { spender, day, nanos: held } = hold;
    const overrunNanos = Math.max(0, nanos - held);
    this.#heldNanos -= held;
    this.#tally(spender, day, nanos, overrunNanos);
    const windows = this.#windowsOf(spender, day);
    for (const window of windows) {
      window.held -= held;
      window.spent += nanos;
      window.overrun += overrunNanos;
    }
    return { overrunNanos, standings: windows.map(standingOf) };
  }

  /** Every budget on that day; one of `*` once for each that spent or holds something, or by itself where nobody does. */
  standings(today: Day): readonly BudgetStanding[] {
    return this.#budgets.flatMap((budget) => {
      const { from } = spanOf(budget.every, today);
      const own = [...this.#windows.values()].filter((window) => window.budget === budget && window.from === from);
      if (own.length > 0) return own.map(standingOf);
      return [standingOf(newWindow(budget, budget.of.name, today))];
    });
  }

  /** The least share that is left, 0 to 1, of the budgets for everybody, this key and this person; null: there is none. */
  left(caller: Pick<Spender, "keyId" | "person">, today: Day): number | null {
    const spender: Spender = { ...caller, alias: "", provider: "" };
    let least: number | null = null;
    for (const budget of this.#budgets) {
      if (budget.of.what === "alias" || budget.of.what === "provider") continue;
      const subject = subjectOf(budget.of, spender);
      if (subject === null) continue;
      const window = this.#windows.get(windowKey(budget, subject, spanOf(budget.every, today).from));
      const used = window === undefined ? 0 : window.spent + window.held;
      const { limitNanos } = budget;
      const share = limitNanos === 0 ? 0 : Math.max(0, (limitNanos - used) / limitNanos);
      least = Math.min(least ?? 1, share);
    }
    return least;
  }

  /** Forgets what ended long ago; what is under way is kept. Call when a day has begun. */
  forget(today: Day): void {
    const spentBefore = addDays(today, -daysKept);
    for (const [key, { day }] of this.#tallies) if (day < spentBefore) this.#tallies.delete(key);
    const overBefore = addDays(today, -daysOfLateAttempts);
    for (const [key, { until, held }] of this.#windows) {
      if (until <= overBefore && held === 0) this.#windows.delete(key);
    }
  }

  #windowsOf(spender: Spender, day: Day): Window[] {
    const windows: Window[] = [];
    for (const budget of this.#budgets) {
      const subject = subjectOf(budget.of, spender);
      if (subject === null) continue;
      const key = windowKey(budget, subject, spanOf(budget.every, day).from);
      let window = this.#windows.get(key);
      if (window === undefined) {
        window = newWindow(budget, subject, day);
        this.#windows.set(key, window);
      }
      windows.push(window);
    }
    return windows;
  }

  #tally(spender: Spender, day: Day, nanos: Nanos, overrun: Nanos): void {
    const key = JSON.stringify([day, spender.keyId, spender.person, spender.alias, spender.provider]);
    const tally = this.#tallies.get(key) ?? { spender, day, spent: 0, overrun: 0 };
    tally.spent += nanos;
    tally.overrun += overrun;
    this.#tallies.set(key, tally);
  }
}

function windowKey(budget: Budget, subject: string, from: Day): string {
  return `${budget.name}\n${from}\n${subject}`;
}

function newWindow(budget: Budget, subject: string, day: Day): Window {
  return { budget, subject, ...spanOf(budget.every, day), spent: 0, held: 0, overrun: 0 };
}

function standingOf({ budget, subject, from, until, spent, held, overrun }: Window): BudgetStanding {
  const { limitNanos, warnAt } = budget;
  const state = spent + held >= limitNanos ? "over" : spent + held >= limitNanos * warnAt ? "near" : "ok";
  return { budget, subject, from, until, spentNanos: spent, heldNanos: held, overrunNanos: overrun, state };
}

/** What a budget is: a cap on money that others bill, for somebody or something, by calendar period. Pure types and words. */
import type { Nanos } from "../money.ts";
import type { Period } from "./period.ts";
import type { Day } from "../day.ts";

export const budgetSubjects = Object.freeze(["all", "key", "person", "alias", "provider"] as const);
export type BudgetSubject = (typeof budgetSubjects)[number];

/** Whom or what it is for. `name`: the key's id, the person's or alias' or provider's name; `*`: each one has such a budget. */
export interface BudgetOf {
  readonly what: BudgetSubject;
  /** Empty for `all`. */
  readonly name: string;
}

export interface Budget {
  readonly name: string;
  readonly of: BudgetOf;
  readonly every: Period;
  readonly limitNanos: Nanos;
  /** A soft one warns and refuses nothing. */
  readonly hard: boolean;
  /** Share of the limit, 0 to 1, from which on it is `near`. */
  readonly warnAt: number;
}

/** What an attempt that costs money is counted by. */
export interface Spender {
  readonly keyId: number | null;
  readonly person: string;
  readonly alias: string;
  /** As the ledger's rows name who bills it. */
  readonly provider: string;
}

/** `near`: past the share that warns; `over`: nothing is left. */
export type BudgetState = "ok" | "near" | "over";

/** One budget of one subject in one period. */
export interface BudgetStanding {
  readonly budget: Budget;
  /** Who or what: the budget's own name, or one of those that `*` stands for. */
  readonly subject: string;
  /** The period's first day, and the first that is not in it. */
  readonly from: Day;
  readonly until: Day;
  readonly spentNanos: Nanos;
  readonly heldNanos: Nanos;
  /** Of what was spent: what providers took beyond what was held for it. */
  readonly overrunNanos: Nanos;
  readonly state: BudgetState;
}

/** The one of a spender's traits that a budget goes by; null: it is not about this spender. */
export function subjectOf({ what, name }: BudgetOf, spender: Spender): string | null {
  if (what === "all") return "";
  const own = what === "key" ? spender.keyId : spender[what];
  if (own === null) return null;
  return name === "*" || name === String(own) ? String(own) : null;
}

/** `all`, `person:Jonas`, `key:*` → what it is for; null: it says nothing of the kind. */
export function parseBudgetOf(text: string): BudgetOf | null {
  if (text === "all") return { what: "all", name: "" };
  const at = text.indexOf(":");
  const what = budgetSubjects.find((subject) => subject === text.slice(0, at));
  const name = text.slice(at + 1).trim();
  if (at === -1 || what === undefined || what === "all" || name === "") return null;
  if (what === "key" && name !== "*" && !/^[1-9]\d{0,14}$/.test(name)) return null;
  return { what, name };
}

export function budgetOfText({ what, name }: BudgetOf): string {
  return what === "all" ? what : `${what}:${name}`;
}

const periodWords: Readonly<Record<Period, string>> = Object.freeze({
  day: "today",
  week: "this week",
  month: "this month",
});

/** `all providers have used $12.00 of $20.00 this month`: for whoever asked, and for notes. */
export function standingWords({ budget, subject, spentNanos }: BudgetStanding): string {
  const { what } = budget.of;
  const who = what === "all" ? "this box has" : what === "person" ? `${subject} has` : `${what} ${subject} has`;
  return `${who} used ${usdText(spentNanos)} of ${usdText(budget.limitNanos)} ${periodWords[budget.every]}`;
}

/** `$20.00`; what is below a cent as exactly as it is. */
export function usdText(nanos: Nanos): string {
  const [whole = "0", fraction = ""] = (nanos / 1e9).toFixed(9).split(".");
  const cents = Math.abs(nanos) >= 1e9 ? fraction.slice(0, 2) : fraction.replace(/0+$/, "").padEnd(2, "0");
  return `$${whole}.${cents}`;
}

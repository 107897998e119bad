/** Conditions on what a request is. All that a rule names must hold; the first rule that holds decides. Pure. */
import type { RequestFacts } from "./request-facts.ts";
import type { DataClass } from "./target.ts";
import { isWithin, type Weekday, zonedTime } from "./zoned-time.ts";

export interface Conditions {
  /** Tokens of the prompt: more than `over`, at most `upTo`. */
  readonly promptTokens?: Span;
  /** Prompt and the most tokens of the answer together. */
  readonly contextNeed?: Span;
  readonly tools?: boolean;
  readonly images?: boolean;
  readonly jsonSchema?: boolean;
  /** Names of callers. */
  readonly caller?: readonly string[];
  readonly role?: readonly string[];
  readonly task?: readonly string[];
  readonly tier?: readonly string[];
  readonly data?: readonly DataClass[];
  readonly time?: TimeSpan;
  /** Share of the caller's budget that is left, below this; a caller without a budget is never below. */
  readonly budgetLeftBelow?: number;
}

export interface Span {
  readonly over?: number;
  readonly upTo?: number;
}

export interface TimeSpan {
  /** Minutes of the day. */
  readonly from: number;
  readonly to: number;
  /** Empty: every day. */
  readonly days: readonly Weekday[];
  /** IANA name; null: the machine's own. */
  readonly zone: string | null;
}

export function holds(when: Conditions, facts: RequestFacts): boolean {
  const checks: readonly boolean[] = [
    isInSpan(when.promptTokens, facts.promptTokens),
    isInSpan(when.contextNeed, facts.promptTokens + (facts.maxTokens ?? 0)),
    isAsSaid(when.tools, facts.needs.includes("tools")),
    isAsSaid(when.images, facts.needs.includes("images")),
    isAsSaid(when.jsonSchema, facts.needs.includes("json-schema")),
    isOneOf(when.caller, facts.caller),
    isOneOf(when.role, facts.role),
    isOneOf(when.task, facts.task),
    isOneOf(when.tier, facts.tier),
    isOneOf(when.data, facts.data),
    when.time === undefined || isAt(when.time, facts.atMs),
    when.budgetLeftBelow === undefined || (facts.budgetLeft !== null && facts.budgetLeft < when.budgetLeftBelow),
  ];
  return checks.every(Boolean);
}

/** How far an estimate of tokens may be from the truth, either way. */
const estimateFactor = 2;

/** An estimate might be wrong about this rule: it is worth counting exactly. */
export function wantsCount(when: Conditions, facts: RequestFacts): boolean {
  if (facts.counted) return false;
  const isNear = (tokens: number, bound: number | undefined) =>
    bound !== undefined && tokens < bound * estimateFactor && tokens > bound / estimateFactor;
  const need = facts.promptTokens + (facts.maxTokens ?? 0);
  return (
    [when.promptTokens?.over, when.promptTokens?.upTo].some((bound) => isNear(facts.promptTokens, bound)) ||
    [when.contextNeed?.over, when.contextNeed?.upTo].some((bound) => isNear(need, bound))
  );
}

function isInSpan(span: Span | undefined, value: number): boolean {
  if (span === undefined) return true;
  return (span.over === undefined || value > span.over) && (span.upTo === undefined || value <= span.upTo);
}

function isAsSaid(wanted: boolean | undefined, fact: boolean): boolean {
  return wanted === undefined || wanted === fact;
}

function isOneOf(wanted: readonly string[] | undefined, fact: string | null): boolean {
  if (wanted === undefined) return true;
  return fact !== null && wanted.some((word) => word.toLowerCase() === fact.toLowerCase());
}

function isAt({ from, to, days, zone }: TimeSpan, atMs: number): boolean {
  return isWithin(zonedTime(atMs, zone), from, to, days);
}

/**
 * A figure that a paper prints, and the same one computed from the paper's own inputs. Types and the comparison; pure. What is computed
 * is always a function: nothing of it is written down beside the paper's figure.
 */
import { compare, minus, nanosOf, numberOf, over, plus, type Ratio, ratio, roundedTo, times, usdOf } from "../ratio.ts";

export type PaperId = "strategy" | "guide" | "lecture" | "orchestration" | "providers";

export interface Paper {
  readonly id: PaperId;
  readonly title: string;
  /** As the paper says; null: it names none. */
  readonly date: string | null;
}

export const papers: readonly Paper[] = Object.freeze([
  { id: "strategy", title: "LLM Infrastructure Strategy", date: null },
  { id: "guide", title: "AI Agent Production Deployment & Cost Analysis Guide", date: "2025-11" },
  { id: "lecture", title: "Module 11: Infrastructure for Multi-Agent Systems", date: null },
  { id: "orchestration", title: "AI Multi-Model Orchestration Plan", date: null },
  { id: "providers", title: "LLM API Providers Comparison for AQE Fleet", date: "2025-12-23" },
]);

/** Money is computed in nano-USD, and printed by papers in dollars. */
export type SeedUnit =
  | "usd"
  | "usd_per_hour"
  | "usd_per_second"
  | "percent"
  | "count"
  | "tokens"
  | "gb"
  | "ms"
  | "months"
  | "times";

/** What a paper says: one value, a range, or a bound. In its unit, money in dollars. */
export interface Said {
  readonly low: number;
  readonly high: number;
  /** What it is rounded to: ours agrees when it lies within half of it. */
  readonly step: number;
  /** `more`: the paper says "so many or more"; ours agrees from there on. */
  readonly bound: "more" | "less" | null;
}

export interface Computed {
  readonly low: Ratio;
  readonly high: Ratio;
}

export interface SeedFigure {
  /** `guide-331-gpt-4`: paper, line, what. */
  readonly id: string;
  readonly paper: PaperId;
  readonly section: string;
  /** Of the paper's text, from 1. */
  readonly line: number;
  readonly what: string;
  readonly unit: SeedUnit;
  readonly said: Said;
  /** Money in nano-USD. Null: the paper gives nothing to compute it from. */
  readonly ours: (() => Ratio | Computed) | null;
  /** How ours is made, or what explains a difference. */
  readonly how: string;
}

/** `near`: not the same, and within five percent. */
export type Verdict = "agrees" | "near" | "differs" | "no_inputs";

export interface Compared {
  readonly figure: SeedFigure;
  /** In the figure's unit; money in nano-USD. */
  readonly said: Computed;
  readonly ours: Computed | null;
  readonly verdict: Verdict;
}

const money: readonly SeedUnit[] = ["usd", "usd_per_hour", "usd_per_second"];

export function isMoney(unit: SeedUnit): boolean {
  return money.includes(unit);
}

const nearPercent = 5;

export function compared(figure: SeedFigure): Compared {
  const scale = isMoney(figure.unit) ? ratio(1_000_000_000) : ratio(1);
  const inUnit = (value: number) => times(ratio(value), scale);
  const said = { low: inUnit(figure.said.low), high: inUnit(figure.said.high) };
  if (figure.ours === null) return { figure, said, ours: null, verdict: "no_inputs" };
  const found = figure.ours();
  const ours = "low" in found ? found : { low: found, high: found };
  return { figure, said, ours, verdict: verdictOf(figure.said, said, ours, inUnit(figure.said.step)) };
}

function verdictOf({ bound, low, high }: Said, said: Computed, ours: Computed, step: Ratio): Verdict {
  const isOne = compare(ours.low, ours.high) === 0;
  // One value agrees with a range it lies in, on either side; two ranges must have the same ends.
  const ends: readonly (readonly [Ratio, Ratio])[] =
    isOne || low === high
      ? [[clamped(ours.low, said), clamped(said.low, ours)]]
      : [
          [said.low, ours.low],
          [said.high, ours.high],
        ];
  const isWithin = (mine: Ratio, theirs: Ratio, slack: Ratio) => {
    if (bound === "more") return compare(plus(mine, slack), theirs) >= 0;
    if (bound === "less") return compare(mine, plus(theirs, slack)) <= 0;
    return compare(distance(mine, theirs), slack) <= 0;
  };
  const half = over(step, ratio(2));
  if (ends.every(([theirs, mine]) => isWithin(mine, theirs, half))) return "agrees";
  const isNear = ends.every(([theirs, mine]) =>
    isWithin(mine, theirs, times(distance(theirs, ratio(0)), ratio(nearPercent, 100))),
  );
  return isNear ? "near" : "differs";
}

function clamped(value: Ratio, { low, high }: Computed): Ratio {
  if (compare(value, low) < 0) return low;
  return compare(value, high) > 0 ? high : value;
}

function distance(left: Ratio, right: Ratio): Ratio {
  const difference = minus(left, right);
  return difference.numerator < 0n ? { ...difference, numerator: -difference.numerator } : difference;
}

/** A figure of either side, as it is shown and counted with. */
export interface ShownSide {
  readonly text: string;
  /** Money only: whole nano-dollars. */
  readonly lowNanos?: number;
  readonly highNanos?: number;
  /** Everything else, to six decimals. */
  readonly low?: number;
  readonly high?: number;
}

export interface ShownFigure {
  readonly id: string;
  readonly paper: PaperId;
  readonly title: string;
  readonly section: string;
  readonly line: number;
  readonly what: string;
  readonly unit: SeedUnit;
  readonly said: ShownSide;
  /** Null: the paper gives nothing to compute it from. */
  readonly ours: ShownSide | null;
  readonly verdict: Verdict;
  /** Null: it cannot be said. */
  readonly agrees: boolean | null;
  readonly how: string;
}

export function shown({ figure, said, ours, verdict }: Compared): ShownFigure {
  const { id, paper, section, line, what, unit, how } = figure;
  const title = papers.find((one) => one.id === paper)?.title ?? paper;
  return {
    id,
    paper,
    title,
    section,
    line,
    what,
    unit,
    said: sideOf(said, unit, figure.said.bound),
    ours: ours === null ? null : sideOf(ours, unit, null),
    verdict,
    agrees: verdict === "no_inputs" ? null : verdict !== "differs",
    how,
  };
}

function sideOf({ low, high }: Computed, unit: SeedUnit, bound: Said["bound"]): ShownSide {
  const texts = [...new Set([amountText(low, unit), amountText(high, unit)])];
  const text = `${texts.join(" to ")}${bound === null ? "" : ` or ${bound}`}`;
  if (isMoney(unit)) return { text, lowNanos: nanosOf(low), highNanos: nanosOf(high) };
  return { text, low: sixDecimals(low), high: sixDecimals(high) };
}

function sixDecimals(value: Ratio): number {
  return Number(numberOf(roundedTo(value, ratio(1, 1_000_000))).toFixed(6));
}

const unitWords: Readonly<Record<SeedUnit, string>> = Object.freeze({
  usd: "",
  usd_per_hour: "/h",
  usd_per_second: "/s",
  percent: " %",
  count: "",
  tokens: " tokens",
  gb: " GB",
  ms: " ms",
  months: " months",
  times: " ×",
});

/** At most two decimals, except where a price of a second needs six. */
function amountText(value: Ratio, unit: SeedUnit): string {
  const decimals = unit === "usd_per_second" ? 6 : 2;
  const step = ratio(1, 10n ** BigInt(decimals));
  const number = numberOf(roundedTo(isMoney(unit) ? usdOf(value) : value, step));
  const [whole = "0", fraction = ""] = Math.abs(number).toFixed(decimals).split(".");
  const cut = fraction.replace(/0+$/u, "");
  const cents = isMoney(unit) && cut.length === 1 ? `${cut}0` : cut;
  const text = `${whole.replace(/\B(?=(\d{3})+$)/gu, ",")}${cents === "" ? "" : `.${cents}`}`;
  return `${number < 0 ? "-" : ""}${isMoney(unit) ? "$" : ""}${text}${unitWords[unit]}`;
}

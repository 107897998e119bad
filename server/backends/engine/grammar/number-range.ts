/** Ranges and multiples of numbers → automata over the digits of their shortest decimal form. Pure. */
import { type Automaton, both, type Edge, wholly } from "./automaton.ts";
import type { Allowance } from "./limits.ts";

/** What a grammar writes as a number: the forms of `compactJsonRules`, as regular expressions. */
const integerForms = "0|-?[1-9][0-9]{0,14}";
const decimalForms =
  "-?0\\.0{0,5}[1-9](?:[0-9]{0,7}[1-9])?|-?[1-9][0-9]{0,5}\\.[0-9]{0,8}[1-9]|-?[1-9][0-9]{6,8}\\.[0-9]{0,5}[1-9]";

/** A bound beyond 15 digits is none: no number that is written has more. Agents send the largest safe integers as bounds. */
const beyond = 1e15;
/** A divisor needs one state per remainder. */
const largestDivisor = 128;

export interface NumberBound {
  readonly value: number;
  readonly exclusive: boolean;
}

export interface NumberWish {
  readonly integer: boolean;
  readonly low: NumberBound | null;
  readonly high: NumberBound | null;
  readonly multiplesOf: readonly number[];
}

/** Texts of the numbers wished for; null: all of their kind, unless `always` one is wanted. */
export function numberAutomaton(wish: NumberWish, allowance: Allowance, always = false): Automaton | null {
  const parts: Automaton[] = [];
  if (wish.low !== null && wish.low.value > -beyond) parts.push(wholly(from(wish.low), allowance));
  if (wish.high !== null && wish.high.value < beyond) parts.push(wholly(upTo(wish.high), allowance));
  for (const divisor of wish.multiplesOf) parts.push(multiples(divisor, allowance));
  if (parts.length === 0 && !always) return null;
  const forms = wholly(wish.integer ? integerForms : `${integerForms}|${decimalForms}`, allowance);
  return parts.reduce((all, part) => both(all, part, allowance), forms);
}

/** True when multiples of it can be told by their digits. */
export function isDivisor(value: number): boolean {
  if (!(value > 0) || value >= beyond) return false;
  const { whole, fraction } = digitsOf(value);
  return fraction.length <= 8 && (Number(whole + fraction) <= largestDivisor || /^10*$/.test(whole + fraction));
}

const anyMagnitude = "[0-9][0-9.]*";

function from(low: NumberBound): string {
  if (low.value >= 0) return magnitudeFrom(low.value, !low.exclusive);
  return `${anyMagnitude}|-(?:${magnitudeUpTo(-low.value, !low.exclusive)})`;
}

function upTo(high: NumberBound): string {
  if (high.value >= 0) return `-${anyMagnitude}|${magnitudeUpTo(high.value, !high.exclusive)}`;
  return `-(?:${magnitudeFrom(-high.value, !high.exclusive)})`;
}

const anyFraction = "(?:\\.[0-9]+)?";
/** Matches no text. */
const none = "[]";

function magnitudeUpTo(value: number, inclusive: boolean): string {
  const { whole, fraction } = digitsOf(value);
  const parts: string[] = [];
  if (whole.length > 1) parts.push(`[0-9]{1,${whole.length - 1}}${anyFraction}`);
  for (const [before, digit, after] of positions(whole)) {
    if (digit > 0) parts.push(`${before}[0-${digit - 1}][0-9]{${after}}${anyFraction}`);
  }
  // The same whole part: the fraction decides.
  if (fraction !== "" || inclusive) parts.push(whole);
  for (const [before, digit] of positions(fraction)) {
    if (before !== "") parts.push(`${whole}\\.${before}`);
    if (digit > 0) parts.push(`${whole}\\.${before}[0-${digit - 1}][0-9]*`);
  }
  if (fraction !== "" && inclusive) parts.push(`${whole}\\.${fraction}`);
  return parts.length === 0 ? none : parts.join("|");
}

function magnitudeFrom(value: number, inclusive: boolean): string {
  const { whole, fraction } = digitsOf(value);
  const parts = [`[0-9]{${whole.length + 1},}${anyFraction}`];
  for (const [before, digit, after] of positions(whole)) {
    if (digit < 9) parts.push(`${before}[${digit + 1}-9][0-9]{${after}}${anyFraction}`);
  }
  if (fraction === "") {
    parts.push(`${whole}\\.[0-9]+`);
    if (inclusive) parts.push(whole);
  }
  for (const [before, digit] of positions(fraction)) {
    if (digit < 9) parts.push(`${whole}\\.${before}[${digit + 1}-9][0-9]*`);
  }
  if (fraction !== "") parts.push(`${whole}\\.${fraction}[0-9]${inclusive ? "*" : "+"}`);
  return parts.join("|");
}

/** Each digit with what stands before it and how many stand behind it. */
function positions(digits: string): readonly (readonly [string, number, number])[] {
  return Array.from(
    digits,
    (digit, index) => [digits.slice(0, index), Number(digit), digits.length - index - 1] as const,
  );
}

/** A magnitude as decimal digits, without exponent and without zeros at the end of the fraction. */
export function digitsOf(value: number): { readonly whole: string; readonly fraction: string } {
  const [mantissa = "0", exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  if (shift >= 0) {
    const padded = fraction.padEnd(shift, "0");
    return { whole: stripped(whole + padded.slice(0, shift)), fraction: padded.slice(shift) };
  }
  const padded = whole.padStart(1 - shift, "0");
  return { whole: stripped(padded.slice(0, shift)), fraction: (padded.slice(shift) + fraction).replace(/0+$/, "") };
}

function stripped(whole: string): string {
  return whole.replace(/^0+(?=\d)/, "");
}

/**
 * Reads digits and keeps the remainder. Multiples are judged as decimals, 1.15 is one of 0.01: a binary division would
 * say otherwise and be wrong.
 */
function multiples(divisor: number, allowance: Allowance): Automaton {
  const { whole, fraction } = digitsOf(divisor);
  const places = fraction.length;
  if (fraction === "" && /^10+$/.test(whole)) return wholly(`0|-?[0-9]+0{${whole.length - 1}}`, allowance);
  const unit = Number(whole + fraction);
  const edges: Edge[][] = [];
  const accepts: boolean[] = [];
  /** State of a remainder after `read` digits of the fraction; -1: the point has not come yet. */
  const numberOf = (remainder: number, read: number): number => 2 + (read + 1) * unit + remainder;
  const digits = (remainder: number, read: number): Edge[] =>
    Array.from({ length: 10 }, (_, digit): Edge => {
      const code = 0x30 + digit;
      return { set: [[code, code]], to: numberOf((remainder * 10 + digit) % unit, read) };
    });
  edges[0] = [...digits(0, -1), { set: [[0x2d, 0x2d]], to: 1 }];
  edges[1] = digits(0, -1);
  accepts[0] = false;
  accepts[1] = false;
  for (let read = -1; read <= places; read += 1) {
    for (let remainder = 0; remainder < unit; remainder += 1) {
      const at = numberOf(remainder, read);
      const missing = places - Math.max(read, 0);
      accepts[at] = (remainder * 10 ** missing) % unit === 0;
      edges[at] =
        read === -1
          ? [
              ...digits(remainder, -1),
              ...(places > 0 ? [{ set: [[0x2e, 0x2e]], to: numberOf(remainder, 0) } as Edge] : []),
            ]
          : read < places
            ? digits(remainder, read + 1)
            : [];
    }
  }
  return { edges, accepts };
}

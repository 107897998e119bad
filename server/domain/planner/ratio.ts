/**
 * Exact fractions for plans: shares, hours and prices meet here, and nothing is rounded before the end. Pure. Money is a fraction
 * of nano-USD until `nanosOf` makes an integer of it.
 */
import { Failure } from "../failure.ts";
import type { Nanos } from "../money.ts";

export interface Ratio {
  readonly numerator: bigint;
  /** Above zero. */
  readonly denominator: bigint;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/u;
const nanosPerUsd = 1_000_000_000n;

/** Of a number as it is written: 0.526 is 526/1000. */
export function ratio(value: number | bigint, denominator: number | bigint = 1): Ratio {
  const above = written(value);
  const below = written(denominator);
  return made(above.numerator * below.denominator, above.denominator * below.numerator);
}

function written(value: number | bigint): Ratio {
  if (typeof value === "bigint") return { numerator: value, denominator: 1n };
  // Very small and very large numbers are written with an exponent.
  const parts = decimal.exec(/e/u.test(String(value)) ? value.toFixed(20) : String(value));
  if (parts === null) throw new RangeError(`${value} is no decimal number`);
  const [, sign, whole = "0", fraction = ""] = parts;
  const digits = BigInt(`${whole}${fraction}`);
  return { numerator: sign === "-" ? -digits : digits, denominator: 10n ** BigInt(fraction.length) };
}

function made(numerator: bigint, denominator: bigint): Ratio {
  if (denominator === 0n) throw new RangeError("A fraction of nothing");
  let [larger, smaller] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  const sign = denominator < 0n ? -1n : 1n;
  return { numerator: (sign * numerator) / larger, denominator: (sign * denominator) / larger };
}

export function plus(...terms: readonly Ratio[]): Ratio {
  return terms.reduce(
    (sum, term) =>
      made(sum.numerator * term.denominator + term.numerator * sum.denominator, sum.denominator * term.denominator),
    zero,
  );
}

export function minus(from: Ratio, what: Ratio): Ratio {
  return plus(from, { ...what, numerator: -what.numerator });
}

export function times(...factors: readonly Ratio[]): Ratio {
  return factors.reduce(
    (product, factor) => made(product.numerator * factor.numerator, product.denominator * factor.denominator),
    one,
  );
}

export function over(what: Ratio, by: Ratio): Ratio {
  return made(what.numerator * by.denominator, what.denominator * by.numerator);
}

/** Below zero: `left` is smaller. */
export function compare(left: Ratio, right: Ratio): number {
  const difference = left.numerator * right.denominator - right.numerator * left.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function floorOf({ numerator, denominator }: Ratio): bigint {
  const whole = numerator / denominator;
  return numerator < 0n && whole * denominator !== numerator ? whole - 1n : whole;
}

export function ceilingOf(value: Ratio): bigint {
  return -floorOf({ ...value, numerator: -value.numerator });
}

/** To the nearest multiple of `step`, half up. */
export function roundedTo(value: Ratio, step: Ratio): Ratio {
  return times(ratio(floorOf(plus(over(value, step), half))), step);
}

/** For showing only. */
export function numberOf({ numerator, denominator }: Ratio): number {
  const whole = numerator / denominator;
  return Number(whole) + Number(numerator - whole * denominator) / Number(denominator);
}

export function percent(value: number): Ratio {
  return ratio(value, 100);
}

/** US dollars as a fraction of nano-USD. */
export function usd(value: number): Ratio {
  return times(ratio(value), ratio(nanosPerUsd));
}

export function usdOf(nanos: Ratio): Ratio {
  return over(nanos, ratio(nanosPerUsd));
}

/** The one rounding of an amount: half up. Null above nine million dollars, where safe integers end. */
export function nanosWithin(amount: Ratio): Nanos | null {
  const nanos = floorOf(plus(amount, half));
  const fits = nanos <= BigInt(Number.MAX_SAFE_INTEGER) && nanos >= BigInt(Number.MIN_SAFE_INTEGER);
  return fits ? Number(nanos) : null;
}

/** The same, for an amount without which there is no plan: throws `invalid_request` above nine million dollars. */
export function nanosOf(amount: Ratio): Nanos {
  const nanos = nanosWithin(amount);
  if (nanos !== null) return nanos;
  throw new Failure("invalid_request", "This plan comes to more than nine million dollars a month", {
    why: "Amounts are kept as whole nano-dollars, and more of them do not fit.",
    next: ["lanthorn plan --users 1000"],
  });
}

export const zero: Ratio = Object.freeze({ numerator: 0n, denominator: 1n });
export const one: Ratio = Object.freeze({ numerator: 1n, denominator: 1n });
const half: Ratio = Object.freeze({ numerator: 1n, denominator: 2n });

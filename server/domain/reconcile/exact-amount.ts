/**
 * Amounts of money out of decimal text, without a binary fraction in between. Pure. A bill's lines are added up in atto-USD (1e-18 USD),
 * so that the one rounding to nano-USD happens to their sum.
 */
import type { Nanos } from "../money.ts";

/** Atto-USD, 1e-18 USD. */
export type Attos = bigint;

export type AmountUnit = "usd" | "cents";

/** Digits between one of the unit and one atto-USD. */
const unitDigits: Readonly<Record<AmountUnit, number>> = Object.freeze({ usd: 18, cents: 16 });
const attosPerNano = 1_000_000_000n;
/** No line of a bill is more; what says so is a slip. */
const mostAttos = 1_000_000n * 10n ** 18n;

const decimal = /^([+-]?)(\d{1,40})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** Null: it is no amount, or more than a million dollars. What lies below an atto-USD is rounded half up. */
export function attosOf(text: string, unit: AmountUnit): Attos | null {
  const parts = decimal.exec(text.trim());
  if (parts === null) return null;
  const [, sign = "", whole = "0", fraction = "", exponent = "0"] = parts;
  const digits = BigInt(whole + fraction);
  const scale = unitDigits[unit] + Number(exponent) - fraction.length;
  const size = scale >= 0 ? digits * 10n ** BigInt(scale) : halfUp(digits, 10n ** BigInt(-scale));
  if (size > mostAttos) return null;
  return sign === "-" ? -size : size;
}

/** Half up, away from 0. A sum of lines that are each in bounds stays a safe integer up to nine million dollars. */
export function nanosOfAttos(attos: Attos): Nanos {
  const size = halfUp(attos < 0n ? -attos : attos, attosPerNano);
  return size === 0n ? 0 : Number(attos < 0n ? -size : size);
}

function halfUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator * 2n + denominator) / (denominator * 2n);
}

/** Amounts of money between whole numbers and decimal text, exactly: digits are moved, nothing is multiplied. Pure. */
import type { Nanos } from "./money.ts";

/** US dollars in full: `250` → `0.000000250`. */
export function usdOfNanos(nanos: Nanos): string {
  const digits = Math.abs(nanos).toString().padStart(10, "0");
  return `${nanos < 0 ? "-" : ""}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** US dollars with nine decimals at most, exactly as written: `"0.25"` → 250,000,000. */
export function nanosOfUsd(usd: string): Nanos {
  return Number(digitsOf(usd, 9));
}

/** The digits of an amount, `"0.25"`, counted in units of so many decimals: with 6, `"0250000"`. The text has no more decimals than that. */
export function digitsOf(text: string, decimals: number): string {
  const [whole = "0", fraction = ""] = text.split(".");
  return whole + fraction.padEnd(decimals, "0");
}

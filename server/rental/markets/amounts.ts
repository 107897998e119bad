/** Money and sizes as markets write them, into our units, exactly. Pure. */
import type { Nanos } from "../../domain/money.ts";
import { attosOf, nanosOfAttos } from "../../domain/reconcile/exact-amount.ts";

/** No machine costs more for an hour; what says so is a slip. */
const mostPerHourNanos: Nanos = 1_000_000_000_000;
const attosPerNano = 1_000_000_000n;

/** Dollars for an hour; null: it is no price, or an absurd one. 0 only where nothing may cost nothing. */
export function hourlyNanos(text: unknown, mayBeFree = false): Nanos | null {
  const attos = typeof text === "string" ? attosOf(text, "usd") : null;
  if (attos === null || attos < 0n || (attos === 0n && !mayBeFree)) return null;
  const nanos = nanosOfAttos(attos);
  return nanos > mostPerHourNanos || (nanos === 0 && !mayBeFree) ? null : nanos;
}

/** Dollars for a GB and month of so many hours → nano-USD for an hour of so many bytes. Null: it is no price. */
export function storagePerHourNanos(perGbMonth: unknown, bytes: number, monthHours: number): Nanos | null {
  const attos = typeof perGbMonth === "string" ? attosOf(perGbMonth, "usd") : null;
  if (attos === null || attos < 0n || attos > 1_000n * 10n ** 18n) return null;
  const divisor = BigInt(monthHours) * 1_000_000_000n * attosPerNano;
  return Number((attos * BigInt(Math.round(bytes)) * 2n + divisor) / (divisor * 2n));
}

/** Dollars for a GB of traffic; absent: none is billed. Null: it is no price. */
export function trafficPerGbNanos(text: unknown): Nanos | null {
  return text === undefined || text === null ? 0 : hourlyNanos(text, true);
}

/** A number in text; null: it is none. */
export function numberOf(text: unknown): number | null {
  if (typeof text !== "string" || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Nano-USD as the decimal number a market wants to read: `0.25`. */
export function usdNumber(nanos: Nanos): number {
  return Number((nanos / 1e9).toFixed(9));
}

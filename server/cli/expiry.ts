/** When a key shall end, as people write it: `30d`, `12h`, `8w`, or the last day it works. Pure. */

export type Expiry =
  | { readonly kind: "after"; readonly ms: number }
  /** The first moment of the day after, in this machine's zone. */
  | { readonly kind: "at"; readonly ms: number };

const unitMs: Readonly<Record<string, number>> = Object.freeze({
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
});

/** Null: it is none of the forms, or a day that does not exist. */
export function parseExpiry(text: string): Expiry | null {
  const span = /^(\d{1,5})([hdw])$/u.exec(text.trim());
  if (span !== null) {
    const ms = Number(span[1]) * (unitMs[span[2] ?? ""] ?? 0);
    return ms > 0 ? { kind: "after", ms } : null;
  }
  const day = /^(\d{4})-(\d{2})-(\d{2})$/u.exec(text.trim());
  if (day === null) return null;
  const [year, month, date] = [Number(day[1]), Number(day[2]), Number(day[3])];
  const start = new Date(year, month - 1, date);
  if (start.getMonth() !== month - 1 || start.getDate() !== date) return null;
  return { kind: "at", ms: new Date(year, month - 1, date + 1).getTime() };
}

/** Epoch milliseconds. */
export function expiryMs(expiry: Expiry, nowMs: number): number {
  return expiry.kind === "after" ? nowMs + expiry.ms : expiry.ms;
}

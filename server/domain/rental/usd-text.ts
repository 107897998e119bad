/** Money of rentals for people. Pure. */
import type { Nanos } from "../money.ts";

/** `$0.34`, `$0.0442`, `$12.00`: two decimals, four below a dollar where two would hide something. */
export function roughUsd(nanos: Nanos): string {
  const usd = nanos / 1e9;
  const cents = usd.toFixed(2);
  return `$${Math.abs(usd) < 1 && Math.abs(Number(cents) - usd) > 1e-9 ? usd.toFixed(4) : cents}`;
}

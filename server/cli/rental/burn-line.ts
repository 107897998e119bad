/** One line of money for commands that are about something else: `serve`, `doctor`. Pure. */
import type { Nanos } from "../../domain/money.ts";
import { plural } from "../format.ts";
import { priceText } from "./price-text.ts";

type Burning = { readonly costing: number; readonly perHourNanos: Nanos };

/** `2 rentals cost $0.52 an hour`; null: nothing costs money. */
export function burnWords({ costing, perHourNanos }: Burning): string | null {
  if (costing === 0) return null;
  return `${plural(costing, "rental")} ${costing === 1 ? "costs" : "cost"} ${priceText(perHourNanos)} an hour`;
}

/** The same, and where to look: `2 rentals cost $0.52 an hour: lanthorn rental list` */
export function burnLine(burning: Burning): string | null {
  const words = burnWords(burning);
  return words === null ? null : `${words}: lanthorn rental list`;
}

/** `1 instance at a market has no lease and costs money: lanthorn rental orphans`; null: there is none. */
export function orphanLine(found: {
  readonly orphans: readonly unknown[];
  readonly unread: readonly string[];
}): string | null {
  const { length } = found.orphans;
  if (length > 0) {
    const words = length === 1 ? "has no lease and costs" : "have no lease and cost";
    return `${plural(length, "instance")} at markets ${words} money: lanthorn rental orphans`;
  }
  if (found.unread.length === 0) return null;
  return `Not looked at for forgotten rentals: ${found.unread.join(", ")}. Later: lanthorn rental orphans`;
}

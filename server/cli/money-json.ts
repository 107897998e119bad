import { usdOfNanos } from "../domain/decimal.ts";
/** Money under `--json`: beside every integer of nano-USD stands the exact decimal text of the same amount. Pure. */

/** `{ costNanos: 250 }` → `{ costNanos: 250, costUsd: "0.000000250" }`, at any depth; null stays null. */
export function withUsd(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUsd);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
      const usdName = name === "nanos" ? "usd" : name.endsWith("Nanos") ? name.replace(/Nanos$/u, "Usd") : null;
      if (usdName === null || (typeof inner !== "number" && inner !== null)) return [[name, withUsd(inner)]];
      return [
        [name, inner],
        [usdName, inner === null ? null : usdOfNanos(inner)],
      ];
    }),
  );
}

/**
 * An upstream's usage object as a row keeps it: figures and short words, bounded, never text of a prompt or an answer. Pure;
 * runs where the writer runs.
 */

/** Characters of the JSON text; the largest seen in recordings is below 1,000. */
const longestJson = 4_000;
/** Words in usage objects are names of tiers, regions and tools. */
const longestWord = 100;
const deepest = 6;
const mostEntries = 64;

function kept(value: unknown, depth: number): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string") return value.slice(0, longestWord).toWellFormed();
  if (depth >= deepest || typeof value !== "object") return null;
  if (Array.isArray(value)) return value.slice(0, mostEntries).map((entry) => kept(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, mostEntries)
      .map(([name, inner]) => [name.slice(0, longestWord).toWellFormed(), kept(inner, depth + 1)]),
  );
}

/** Null: there was none, or it is none that a row could keep. */
export function rawUsageText(raw: unknown): string | null {
  if (typeof raw !== "object" || raw === null) return null;
  const text = JSON.stringify(kept(raw, 0));
  return text.length <= longestJson ? text : null;
}

/** Characters of a plan; a plan that is longer is not cut in the middle but left out. */
const longestPlan = 16_000;

/** What the router decided, as it says it. */
export function planText(plan: unknown): string | null {
  if (plan === null || plan === undefined) return null;
  try {
    const text = JSON.stringify(plan);
    return text === undefined || text.length > longestPlan ? null : text.toWellFormed();
  } catch {
    return null;
  }
}

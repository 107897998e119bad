/**
 * What is summed of requests and of attempts, as SQL: one text per column, used where changes are folded into the sums, where rows
 * are added up for a report, and nowhere else. Pure; runs where the ledger's SQL does.
 */

/** Each column of the sums with what one row counts in it; `sign` says whether it comes or goes. */
export type SumColumns = Readonly<Record<string, string>>;

const whether = (condition: string): string => `CASE WHEN ${condition} THEN 1 ELSE 0 END`;
const tokens = Object.freeze({
  prompt_tokens: "prompt_tokens",
  cached_tokens: "cached_tokens",
  completion_tokens: "completion_tokens",
  reasoning_tokens: "reasoning_tokens",
  cache_write_5m_tokens: "cache_write_5m_tokens",
  cache_write_1h_tokens: "cache_write_1h_tokens",
});
const isUnknown = "cost_basis IN ('not_priced', 'unknown_price')";

/** Over a row of `request_changes`, or one of `requests` with `sign` 1 and `said` from its feedback. */
export const requestSums = Object.freeze({
  requests: "1",
  done: whether("status = 'done'"),
  failed: whether("status = 'failed'"),
  refused: whether("status = 'refused'"),
  aborted: whether("status = 'aborted'"),
  interrupted: whether("status = 'interrupted'"),
  successes: whether("status = 'done' AND coalesce(said, 1) = 1"),
  said_ok: whether("said = 1"),
  said_not_ok: whether("said = 0"),
  ...tokens,
  known_nanos: "known_nanos",
  known_requests: whether("cost_nanos IS NOT NULL"),
  // What was refused reached nobody: it has no part that could lack a price.
  unknown_requests: whether(`${isUnknown} AND status <> 'refused'`),
}) satisfies SumColumns;

/** What a report says of a caller, and so reads: most sums of a report about everybody are about callers. */
export const callerSums: SumColumns = Object.freeze({
  requests: requestSums.requests,
  ...tokens,
  known_nanos: requestSums.known_nanos,
  known_requests: requestSums.known_requests,
  unknown_requests: requestSums.unknown_requests,
});

/** Over a row of `attempt_changes`, or one of `attempts` with `sign` 1. */
export const attemptSums: SumColumns = Object.freeze({
  attempts: "1",
  ...tokens,
  known_nanos: "coalesce(cost_nanos, 0)",
  known_attempts: whether("cost_nanos IS NOT NULL"),
  unknown_attempts: whether(isUnknown),
  drift_nanos: "coalesce(drift_nanos, 0)",
});

export function columnNames(columns: SumColumns): string {
  return Object.keys(columns).join(", ");
}

/** Adds up single rows, or changes. */
export function addedUp(columns: SumColumns): string {
  return Object.entries(columns)
    .map(([name, each]) => `coalesce(sum(sign * ${each === "1" ? "1" : `(${each})`}), 0) AS ${name}`)
    .join(", ");
}

/** Adds up sums; `sign` says which are taken off. */
export function summedUp(columns: SumColumns, sign: string): string {
  return Object.keys(columns)
    .map((name) => `coalesce(sum(${sign} * ${name}), 0) AS ${name}`)
    .join(", ");
}

/** Sums that are there grow by those that come. */
export function grown(columns: SumColumns): string {
  return Object.keys(columns)
    .map((name) => `${name} = ${name} + excluded.${name}`)
    .join(", ");
}

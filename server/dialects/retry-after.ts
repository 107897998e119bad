/**
 * How long an upstream asks to be left alone, in all the forms they say it. Pure; shared by the shapes we call; the time of day
 * is handed in.
 */

/** Longer than any limit lasts: what says more is no duration. */
const longestMs = 35 * 24 * 3_600_000;
const unitMs: Readonly<Record<string, number>> = Object.freeze({
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
});

/** `6m0s`, `120ms`, `1h2m3.5s`, `2d` in milliseconds; null: it is none of these. */
export function durationMs(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(trimmed)) return null;
  let sum = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    sum += Number(amount) * (unitMs[unit ?? ""] ?? 0);
  }
  return sensible(sum);
}

/** By `retry-after-ms`, `retry-after` (seconds, or a date), else by the `reset` of a limit that is used up. Null: not said. */
export function coolDownMs(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const exact = sensible(numberOf(headers["retry-after-ms"]));
  if (exact !== null) return exact;
  const after = headers["retry-after"];
  if (after !== undefined) {
    const seconds = numberOf(after);
    const said = seconds === null ? untilMs(after, nowMs) : sensible(seconds * 1_000);
    if (said !== null) return said;
  }
  return resetMs(headers, nowMs);
}

/**
 * The longest reset among the limits that have nothing left. Where none tells what is left, the soonest: waiting for a day's
 * limit because a minute's was hit is worse than asking once too early.
 */
function resetMs(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const usedUp: number[] = [];
  const unknown: number[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const kind = /^x-ratelimit-reset(-[a-z-]+)?$/.exec(name);
    if (kind === null) continue;
    const said = untilMs(value, nowMs);
    if (said === null) continue;
    const left = numberOf(headers[`x-ratelimit-remaining${kind[1] ?? ""}`]);
    if (left === null) unknown.push(said);
    else if (left <= 0) usedUp.push(said);
  }
  if (usedUp.length > 0) return Math.max(...usedUp);
  return unknown.length > 0 ? Math.min(...unknown) : null;
}

/** A duration, a number of seconds, a moment in seconds or milliseconds since 1970, or a date. */
function untilMs(text: string, nowMs: number): number | null {
  const duration = durationMs(text);
  if (duration !== null) return duration;
  const number = numberOf(text);
  if (number !== null) {
    if (number > 1e11) return sensible(Math.max(0, number - nowMs));
    return sensible(number > 1e9 ? Math.max(0, number * 1_000 - nowMs) : number * 1_000);
  }
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? null : sensible(Math.max(0, moment - nowMs));
}

function numberOf(text: string | undefined): number | null {
  return text === undefined || !/^\s*\d+(?:\.\d+)?\s*$/.test(text) ? null : Number(text);
}

function sensible(ms: number | null): number | null {
  return ms === null || !(ms >= 0 && ms <= longestMs) ? null : Math.ceil(ms);
}

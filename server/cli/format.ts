/** Figures as people read them, the same way in every command. Pure; a missing figure is an en dash, never 0. */
import type { Cost, Nanos } from "../domain/money.ts";

export const unknownMark = "–";

const nanosPerUsd = 1_000_000_000;

/** `1204` → `1,204`. */
export function countText(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Tokens: exact below ten thousand, then `41.2 K`, `61.2 M`. */
export function tokensText(tokens: number): string {
  if (tokens < 10_000) return countText(tokens);
  if (tokens < 999_950) return `${(tokens / 1e3).toFixed(1)} K`;
  return `${(tokens / 1e6).toFixed(1)} M`;
}

/** Context lengths are powers of two by custom: 65536 → `64 K`; anything uneven is written out. */
export function contextText(tokens: number): string {
  return tokens >= 1024 && tokens % 1024 === 0 ? `${countText(tokens / 1024)} K` : countText(tokens);
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `18575261696` → `17.3 GiB`. One decimal below a hundred. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < byteUnits.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${byteUnits[unit] ?? "TiB"}`;
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `840 ms`, `3.2 s`, `1 m 04 s`, `2 h 10 m`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < minuteMs - 50) return `${(ms / secondMs).toFixed(1)} s`;
  const seconds = Math.round(ms / secondMs);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
  return `${Math.floor(minutes / (24 * 60))} d ${Math.floor((minutes % (24 * 60)) / 60)} h`;
}

/** `44 tok/s`; one decimal below ten, thousands as `1.8 K tok/s`. */
export function tokenRateText(tokensPerSecond: number): string {
  if (!Number.isFinite(tokensPerSecond)) return unknownMark;
  if (tokensPerSecond < 9.95) return `${tokensPerSecond.toFixed(1)} tok/s`;
  if (tokensPerSecond < 999.5) return `${Math.round(tokensPerSecond)} tok/s`;
  return `${(tokensPerSecond / 1000).toFixed(1)} K tok/s`;
}

/** `$11.90` from a dollar up, four decimals below, `<$0.0001` under that, `$0` for exactly nothing. */
export function nanosText(nanos: Nanos): string {
  const sign = nanos < 0 ? "-" : "";
  const amount = Math.abs(nanos);
  if (amount === 0) return "$0";
  if (amount < nanosPerUsd / 10_000) return `${sign}<$0.0001`;
  return `${sign}$${(amount / nanosPerUsd).toFixed(amount >= nanosPerUsd ? 2 : 4)}`;
}

/** A cost in words: an unknown one says why, and is never a number. */
export function costText(cost: Cost): string {
  if (cost.known) return nanosText(cost.nanos);
  return unknownCostWords[cost.reason];
}

const unknownCostWords = Object.freeze({
  not_priced: "local: not yet priced",
  unknown_price: "no price known",
} satisfies Record<Extract<Cost, { known: false }>["reason"], string>);

/** How long ago: `now`, `4 m ago`, `3 h ago`, `12 d ago`, and the date beyond a month. */
export function agoText(atMs: number | null, nowMs: number): string {
  if (atMs === null) return "never";
  const passedMs = nowMs - atMs;
  if (passedMs < minuteMs) return "now";
  if (passedMs < hourMs) return `${Math.floor(passedMs / minuteMs)} m ago`;
  if (passedMs < dayMs) return `${Math.floor(passedMs / hourMs)} h ago`;
  if (passedMs < 31 * dayMs) return `${Math.floor(passedMs / dayMs)} d ago`;
  return dateText(atMs);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `12 Jan 2027`, in this machine's zone. */
export function dateText(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getDate()} ${months[date.getMonth()] ?? unknownMark} ${date.getFullYear()}`;
}

/** `12 Jan 2027 14:02:11`, in this machine's zone. */
export function timeText(atMs: number): string {
  const date = new Date(atMs);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `${dateText(atMs)} ${parts.join(":")}`;
}

/** `2 rows`, `1 row`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

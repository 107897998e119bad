/** What the options of `lanthorn rental` mean: amounts, sizes, spans and times as people write them. Pure; throws what commander shows. */
import { InvalidArgumentError } from "commander";
import { usageFailure } from "../errors.ts";
import { momentOf } from "../time-range.ts";

/** `0.25`, as the settings have it. */
export function readUsd(text: string): string {
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError("US dollars, such as 20 or 0.25.");
  return text;
}

const spanUnitMs: Readonly<Record<string, number>> = Object.freeze({
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
});

/** `90s`, `20m`, `12h`, `2d` → milliseconds. */
export function readSpan(text: string): number {
  const [, amount, unit = ""] = /^(\d{1,5}(?:\.\d)?)([smhd])$/.exec(text.trim()) ?? [];
  const ms = Math.round(Number(amount) * (spanUnitMs[unit] ?? Number.NaN));
  if (!(ms >= 1000)) throw new InvalidArgumentError("A time such as 90s, 20m, 12h or 2d.");
  return ms;
}

/** Gigabytes, 10^9 bytes: `24`, `24GB`. */
export function readGb(text: string): number {
  const [, amount] = /^(\d{1,6}(?:\.\d{1,3})?) ?(?:GB)?$/i.exec(text.trim()) ?? [];
  const gb = Number(amount);
  if (!(gb >= 0)) throw new InvalidArgumentError("Gigabytes, such as 24 or 24GB.");
  return gb;
}

export function readCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,2}$/.test(text) || count < 1 || count > 64) throw new InvalidArgumentError("From 1 to 64.");
  return count;
}

/** `0.99` or `99%` → 0.99. */
export function readShare(text: string): number {
  const [, amount, percent] = /^(\d{1,3}(?:\.\d{1,4})?) ?(%)?$/.exec(text.trim()) ?? [];
  const share = percent === undefined ? Number(amount) : Number(amount) / 100;
  if (!(share >= 0 && share <= 1)) throw new InvalidArgumentError("A share such as 0.99 or 99%.");
  return share;
}

/** `lease-3` or `3`. */
export function readLease(text: string): number {
  const [, id] = /^(?:lease-)?(\d{1,12})$/.exec(text.trim()) ?? [];
  if (id === undefined) {
    throw usageFailure(`"${text}" is no lease`, "Leases are named as rental list shows them: lease-3.", [
      "lanthorn rental list",
    ]);
  }
  return Number(id);
}

/** `22:00` (the next time it is that late here) or anything `momentOf` reads → milliseconds from now. Throws exit 2 for what is over. */
export function msUntil(text: string, nowMs: number): number {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? [];
  const atMs = hour === undefined ? momentOf("--until", text, 0) : nextTime(Number(hour), Number(minute), nowMs);
  if (atMs > nowMs) return atMs - nowMs;
  throw usageFailure(`--until ${text} is over`, "", ["lanthorn rental rent --help"]);
}

/** By the calendar, so that it is right on days of 23 and 25 hours too. */
function nextTime(hour: number, minute: number, nowMs: number): number {
  const now = new Date(nowMs);
  const on = (days: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour, minute).getTime();
  return on(0) > nowMs ? on(0) : on(1);
}

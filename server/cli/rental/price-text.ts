/** Prices of rented machines as people read them. Pure. */
import type { Nanos } from "../../domain/money.ts";
import { nanosText } from "../format.ts";

/** `$0.34`, `$0.3467`, `$1.25`: two decimals, up to four below a dollar where there are more. */
export function priceText(nanos: Nanos): string {
  if (nanos >= 1e9 || nanos < 1e5) return nanosText(nanos);
  return nanosText(nanos).replace(/0{1,2}$/u, "");
}

export function perHour(nanos: Nanos): string {
  return `${priceText(nanos)}/h`;
}

export function perDay(nanos: Nanos): string {
  return `${priceText(nanos)}/day`;
}

/** `2 × RTX 4090`, `RTX 4090`. */
export function gpuText({ gpu, gpuCount }: { readonly gpu: string; readonly gpuCount: number }): string {
  return gpuCount === 1 ? gpu : `${gpuCount} × ${gpu}`;
}

/** `24 GB`: as cards are sold. */
export function vramText(bytes: number): string {
  return `${Math.round(bytes / 1e9)} GB`;
}

/** `40 s old`, `4 m old`: how long ago somebody said so. */
export function oldText(atMs: number, nowMs: number): string {
  const passedMs = Math.max(0, nowMs - atMs);
  if (passedMs < 60_000) return `${Math.round(passedMs / 1000)} s old`;
  if (passedMs < 3_600_000) return `${Math.floor(passedMs / 60_000)} m old`;
  if (passedMs < 86_400_000) return `${Math.floor(passedMs / 3_600_000)} h old`;
  return `${Math.floor(passedMs / 86_400_000)} d old`;
}

/** Whole seconds, as a countdown: `40 s`, `1 m 20 s`, `2 h 10 m`, `3 d 4 h`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} m` : `${minutes} m ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} m`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `22:00`, and with its day where that is another one: `22:00 on 28 Nov`. In this machine's zone. */
export function clockText(atMs: number, nowMs: number): string {
  const [date, now] = [new Date(atMs), new Date(nowMs)];
  const time = [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  if (date.toDateString() === now.toDateString()) return time;
  const year = date.getFullYear() === now.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${time} on ${date.getDate()} ${months[date.getMonth()] ?? ""}${year}`;
}

/** `$3.18 of $20.00`. */
export function ofCap(nanos: Nanos, cap: Nanos | null): string {
  return cap === null ? nanosText(nanos) : `${nanosText(nanos)} of ${nanosText(cap)}`;
}

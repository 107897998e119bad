/**
 * The line under an answer. Pure; runs in the browser. Times are what this browser saw, tokens are what the server
 * counted; while the answer runs, pieces stand for tokens and the line says `about`.
 */
import { duration, rate, tokens } from "../format.ts";
import { t } from "../words.ts";
import type { Answer } from "./turns.ts";

/** Milliseconds from the click to the first token; null before it. */
export function firstTokenMs(answer: Answer): number | null {
  return answer.firstAtMs === null ? null : answer.firstAtMs - answer.sentAtMs;
}

/** A browser hands on what arrives in lumps of some milliseconds; over a shorter time than this it measures the lumps. */
export const shortestSpanMs = 100;

/**
 * Tokens after the first, over the time they took. `over` means: all were here within `shortestSpanMs`, so it is faster than
 * that. Null where there is nothing to divide.
 */
export function speed(answer: Answer): { readonly tokensPerSecond: number; readonly over: boolean } | null {
  const count = answer.usage?.outputTokens ?? answer.pieces;
  if (answer.firstAtMs === null || answer.lastAtMs === null || count < 2 || answer.pieces < 2) return null;
  const spanMs = answer.lastAtMs - answer.firstAtMs;
  const tokensPerSecond = ((count - 1) * 1000) / Math.max(spanMs, shortestSpanMs);
  return { tokensPerSecond, over: spanMs < shortestSpanMs };
}

/** The parts of the line, in reading order. `nowMs` is on the same clock as the answer's times. */
export function figures(answer: Answer, nowMs: number): readonly string[] {
  const first = firstTokenMs(answer);
  const running = answer.state.type === "running";
  if (first === null) {
    if (!running) return [];
    return [answer.model, t("chat.waiting", { age: duration(Math.max(0, nowMs - answer.sentAtMs)) })];
  }
  const measured = speed(answer);
  const speedText = rate(measured?.tokensPerSecond ?? null);
  const parts = [answer.model, t("chat.firstToken", { time: duration(first) })];
  if (answer.usage === null) {
    // Only the server counts tokens, and it does so at the end; a piece is about one.
    const soFar = measured === null || measured.over ? [] : [t("chat.running", { rate: speedText })];
    return [...parts, ...soFar, t("chat.pieces", { count: tokens(answer.pieces) })];
  }
  return [
    ...parts,
    measured?.over ? t("chat.over", { rate: speedText }) : speedText,
    counts(answer.usage),
    priceText(answer.cost),
  ];
}

function counts(usage: NonNullable<Answer["usage"]>): string {
  const values = {
    input: tokens(usage.promptTokens),
    cached: tokens(usage.cachedTokens),
    output: tokens(usage.outputTokens),
  };
  return t(usage.cachedTokens > 0 ? "chat.counts.cached" : "chat.counts", values);
}

/** `0.000012345(measured)` → `$0.000012 measured`… in the page's money rule; what is not known is said, never `$0`. */
export function priceText(cost: string | null): string {
  const found = cost === null ? null : /^(-?\d+\.\d+)\((\w+)\)$/.exec(cost);
  const usd = found?.[1] === undefined ? Number.NaN : Number(found[1]);
  if (!Number.isFinite(usd)) return t("chat.unpriced");
  if (usd === 0) return "$0";
  if (usd > 0 && usd < 0.0001) return "<$0.0001";
  return `${usd < 0 ? "−" : ""}$${Math.abs(usd).toFixed(Math.abs(usd) >= 1 ? 2 : 4)}`;
}

/** Where it ran, when the server said so: `engine/…` is this box. */
export function ranOnThisBox(answer: Answer): boolean {
  return answer.target?.startsWith("engine/") ?? false;
}

/** One request as a picture in text: where its time went, on one axis, attempt by attempt. Pure. */
import { usdOfNanos } from "../domain/decimal.ts";
import type { Cost } from "../domain/money.ts";
import { noteWords } from "../domain/note.ts";
import type { PricedPart } from "../domain/pricing/priced.ts";
import { reasonWords } from "../domain/routing/plan.ts";
import type { AttemptRecord, RequestRecord } from "../ledger/records.ts";
import {
  costText,
  countText,
  durationText,
  nanosText,
  plural,
  timeText,
  tokenRateText,
  tokensText,
  unknownMark,
} from "./format.ts";
import { pad, printable } from "./text.ts";

/** Columns of the axis. */
const axisColumns = 32;

interface Bar {
  readonly word: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly remark: string;
}

/** Several lines without a final newline. */
export function waterfallText(request: RequestRecord): string {
  const bars = request.attempts.flatMap((attempt) => barsOf(attempt, request.attempts.length > 1));
  const endMs = Math.max(request.durationMs ?? 0, ...bars.map((bar) => bar.startMs + bar.lengthMs), 1);
  const wordWidth = Math.max(0, ...bars.map((bar) => bar.word.length));
  const timeWidth = Math.max(0, ...bars.map((bar) => durationText(bar.lengthMs).length));
  const drawn = bars.map((bar) => {
    const columnAt = (ms: number) => Math.round((ms / endMs) * axisColumns);
    // However short it was, a part that happened is seen.
    const from = Math.min(axisColumns - 1, columnAt(bar.startMs));
    const to = Math.max(from + 1, columnAt(bar.startMs + bar.lengthMs));
    const line = " ".repeat(from) + "█".repeat(to - from);
    return ` ${pad(bar.word, wordWidth)} ${pad(durationText(bar.lengthMs), timeWidth, "left")}  ${pad(line, axisColumns)}  ${bar.remark}`.trimEnd();
  });
  return [headline(request), ...drawn, ...footlines(request)].join("\n");
}

function headline(request: RequestRecord): string {
  const last = request.attempts.at(-1);
  const where = last === undefined ? "reached no model" : printable(last.target);
  return [
    printable(request.id),
    printable(request.callerName),
    `${printable(request.alias)} → ${where}`,
    endingText(request),
    request.durationMs === null ? unknownMark : durationText(request.durationMs),
    request.cost === null ? unknownMark : sumText(request, request.cost),
  ].join("   ");
}

/** What is known of a cost stands there even where the whole is not known. */
function sumText({ knownCostNanos, unknownCostAttempts, attempts }: RequestRecord, cost: Cost): string {
  if (attempts.length === 0) return "no cost";
  if (cost.known || knownCostNanos === 0) return costText(cost);
  return `${nanosText(knownCostNanos)} + ${unknownCostAttempts} of ${plural(attempts.length, "attempt")} without a price`;
}

const endings = Object.freeze({
  open: "still running",
  done: "done",
  failed: "failed",
  refused: "refused",
  aborted: "ended by the client",
  interrupted: "interrupted: the server ended",
} satisfies Record<RequestRecord["status"], string>);

const finishWords = Object.freeze({
  stop: "stopped by the model",
  length: "stopped at its length limit",
  "tool-calls": "called a tool",
  "content-filter": "withheld by a filter or declined",
  pause: "paused by the provider",
} satisfies Record<NonNullable<RequestRecord["finishReason"]>, string>);

function endingText(request: RequestRecord): string {
  const reason = request.finishReason === null ? "" : `, ${finishWords[request.finishReason]}`;
  return `${endings[request.status]}${request.failureCode === null ? reason : `: ${printable(request.failureCode)}`}`;
}

/** The parts that took time, in the order they happened. A part that was never reached is left out. */
function barsOf(attempt: AttemptRecord, numbered: boolean): readonly Bar[] {
  const { queueMs, loadMs, prefillMs, decodeMs } = attempt.timings;
  const { promptTokens, cachedTokens, completionTokens } = attempt.usage;
  const fresh = promptTokens - cachedTokens;
  const prompt = `${tokensText(promptTokens)} in${cachedTokens > 0 ? `: ${tokensText(cachedTokens)} from cache, ${tokensText(fresh)} new` : ""}`;
  const parts: readonly (readonly [string, number, string])[] = [
    ["queue", queueMs, ""],
    ["load", loadMs, ""],
    ["prefill", prefillMs, `${prompt}${rateAt(fresh, prefillMs)}`],
    ["decode", decodeMs, `${tokensText(completionTokens)} out${rateAt(completionTokens - 1, decodeMs)}`],
  ];
  const prefix = numbered ? `${attempt.number} ` : "";
  let startMs = attempt.offsetMs;
  return parts.flatMap(([word, lengthMs, remark]) => {
    const bar = { word: prefix + word, startMs, lengthMs, remark };
    startMs += lengthMs;
    return lengthMs > 0 ? [bar] : [];
  });
}

function rateAt(tokens: number, ms: number): string {
  return tokens > 0 && ms > 0 ? ` at ${tokenRateText((tokens / ms) * 1000)}` : "";
}

function footlines(request: RequestRecord): readonly string[] {
  const { promptTokens, cachedTokens, completionTokens } = request.usage;
  const ttft = request.ttftMs === null ? "none sent" : durationText(request.ttftMs);
  const lines = [
    ` Tokens   ${tokensText(promptTokens)} in (${tokensText(cachedTokens)} cached), ${tokensText(completionTokens)} out; first token ${ttft}`,
    ` Asked    ${timeText(request.startedAtMs)}, ${request.dialect}, ${request.stream ? "streamed" : "whole"}`,
  ];
  request.attempts.forEach((attempt, index) => {
    const ending =
      attempt.failureCode === null ? attempt.status : `${attempt.status}: ${printable(attempt.failureCode)}`;
    const why = `${attempt.number} ${printable(attempt.target)}: ${reasonText(attempt.reason)}, ${ending}`;
    lines.push(` ${index === 0 ? "Why here" : "        "} ${why}`);
  });
  // Where nothing was paid, what it cost says the same of every try.
  const paid = request.attempts.some(({ pricing }) => pricing !== null);
  request.attempts
    .filter(({ cost }) => paid && cost !== null)
    .forEach((attempt, index) => {
      for (const [line, text] of costLines(attempt).entries()) {
        lines.push(` ${index === 0 && line === 0 ? "Cost    " : "        "} ${line === 0 ? "" : "  "}${text}`);
      }
    });
  // With costs, a provider's own name stands there.
  request.attempts
    .filter(({ pricing, upstreamRequestId }) => pricing === null && upstreamRequestId !== null)
    .forEach(({ number, upstreamRequestId }, index) => {
      lines.push(` ${index === 0 ? "There   " : "        "} ${number} is ${printable(upstreamRequestId ?? "")}`);
    });
  request.notes.forEach(({ code, detail }, index) => {
    lines.push(` ${index === 0 ? "Noted   " : "        "} ${noteText(code)} (${printable(detail)})`);
  });
  return lines;
}

/** What one attempt is booked at, and how that was reached. */
function costLines({ number, cost, pricing }: AttemptRecord): readonly string[] {
  if (cost === null) return [];
  const exact = cost.known ? `$${usdOfNanos(cost.nanos)} ${cost.basis}` : costText(cost);
  if (pricing === null) return [`${number} ${exact}`];
  const { computedNanos, reportedNanos, driftNanos, priceId } = pricing;
  const drift =
    driftNanos === null || reportedNanos === null || computedNanos === null
      ? ""
      : `, the provider said $${usdOfNanos(reportedNanos)}, the price book $${usdOfNanos(computedNanos)} (drift ${usdOfNanos(driftNanos)})`;
  const reached = pricing.parts.map(partText).join(" + ");
  return [
    `${number} ${exact}${drift}`,
    ...(reached === "" ? [] : [`${reached}${priceId === null ? "" : `   by ${printable(priceId)}`}`]),
    ...(pricing.flags.length === 0 ? [] : [`flagged: ${pricing.flags.map(printable).join(", ")}`]),
    ...(pricing.requestId === null ? [] : [`there it is ${printable(pricing.requestId)}`]),
  ];
}

/** `1,200 prompt at $2.5/M`: a million of them is how prices are written everywhere. */
function partText({ what, count, picosEach }: PricedPart): string {
  // A million at one pico-USD each is a millionth of a dollar.
  const usdPerMillion = picosEach.numerator / picosEach.denominator / 1e6;
  return `${countText(count)} ${printable(what)} at $${Number(usdPerMillion.toPrecision(6))}/M`;
}

function noteText(code: string): string {
  const words: Readonly<Record<string, string>> = noteWords;
  return words[code] ?? printable(code);
}

/** The words everybody uses for it; a code that a newer server wrote is shown as it is. */
function reasonText(code: string): string {
  const words: Readonly<Record<string, string>> = reasonWords;
  return words[code] ?? printable(code);
}

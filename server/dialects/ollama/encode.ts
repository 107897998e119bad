/**
 * `ChatEvent`s → Ollama's lines, or one object. Pure; runs in the server process; imports the domain only.
 *
 * Chat and generate differ in where the text stands: `message.content` and `response`. The last line, which says `done`, waits
 * for `close`: there is no comment in this shape, so where the request ran and what it cost are fields of that line.
 */
import type { ChatEvent, ChatRequest, ChosenLogprob, FinishReason, TokenLogprob } from "../../domain/chat.ts";
import type { Timings, Usage } from "../../domain/usage.ts";
import { costText, targetText } from "../closing-comment.ts";
import type { ChatEncoder, ReplyFacts } from "../dialect.ts";
import { CallCollector } from "./calls.ts";
import { failureFrame } from "./failure.ts";
import { lineText, oneLine } from "./line.ts";

const doneReasons = Object.freeze({
  stop: "stop",
  length: "length",
  "tool-calls": "stop",
  "content-filter": "content_filter",
  // The wire has no word for a pause: what came so far is an answer.
  pause: "stop",
}) satisfies Record<FinishReason, string>;

/** What one line says, each as JSON text where it is there. */
interface Said {
  readonly text?: string;
  readonly thinking?: string;
  readonly calls?: readonly string[];
  readonly logprobs?: readonly ChosenLogprob[];
}

/** How a line writes what it says: without the braces around the line. */
type WriteSaid = (said: Said) => string;

const chatSaid: WriteSaid = ({ text = '""', thinking, calls }) => {
  const more = thinking === undefined ? "" : `,"thinking":${thinking}`;
  const called = calls === undefined ? "" : `,"tool_calls":[${calls.join(",")}]`;
  return `"message":{"role":"assistant","content":${text}${more}${called}}`;
};

const generateSaid: WriteSaid = ({ text = '""', thinking }) =>
  `"response":${text}${thinking === undefined ? "" : `,"thinking":${thinking}`}`;

export const chatEncoder = (request: ChatRequest, facts: ReplyFacts) => encoder(chatSaid, request, facts);
export const generateEncoder = (request: ChatRequest, facts: ReplyFacts) => encoder(generateSaid, request, facts);

function encoder(write: WriteSaid, request: ChatRequest, facts: ReplyFacts): ChatEncoder {
  const head = headOf(request, facts);
  const calls = new CallCollector();
  let cutShort = false;
  /** What the last line says of the request; null: it has not finished. */
  let end: string | null = null;

  const line = (said: Said): string => {
    const tokens = said.logprobs === undefined ? "" : `,"logprobs":${wireLogprobs(said.logprobs)}`;
    return `${head}${write(said)}${tokens},"done":false}\n`;
  };

  /** What was collected of calls, when something else comes. */
  function collected(): string {
    const done = calls.done();
    const whole = done.flatMap(({ json }) => (json === null ? [] : [json]));
    const lines = whole.length === 0 ? "" : line({ calls: whole });
    // A call that the length cut is left out, and the end says so; what is no call for another reason is text.
    const texts = cutShort ? [] : done.filter(({ json }) => json === null).map(({ text }) => text);
    return lines + texts.map((text) => line({ text: lineText(text) })).join("");
  }

  function frames(event: ChatEvent): string {
    if (calls.take(event)) return "";
    switch (event.type) {
      case "text": {
        const logprobs = event.logprobs === undefined ? {} : { logprobs: event.logprobs };
        return collected() + line({ text: lineText(event.text), ...logprobs });
      }
      case "refusal":
        return collected() + line({ text: lineText(event.text) });
      case "reasoning":
        return collected() + line({ thinking: lineText(event.text) });
      case "finished": {
        cutShort = event.finishReason === "length";
        end = endOf(request, event);
        return collected();
      }
      case "failed":
        return failureFrame(event.failure);
      default:
        return "";
    }
  }

  return {
    frames,
    close({ target, cost, knownNanos }) {
      if (end === null) return "";
      const ran = target === null ? "none" : targetText(target);
      const closing = JSON.stringify({ target: ran, cost: costText(cost, knownNanos) });
      return `${head}${write({})},${end},"x_lanthorn":${closing}}\n`;
    },
    whole: (events) => wholeAnswer(write, request, facts, events),
    keepAlive: () => line({}),
  };
}

function headOf(request: ChatRequest, facts: ReplyFacts): string {
  // As the client wrote it: the request has the name under which the model is served.
  const written = request.wire?.body.model;
  const model = typeof written === "string" ? written : facts.model;
  return `{"model":${lineText(model)},"created_at":"${new Date(facts.createdAtS * 1000).toISOString()}",`;
}

function wholeAnswer(write: WriteSaid, request: ChatRequest, facts: ReplyFacts, events: readonly ChatEvent[]): string {
  const calls = new CallCollector();
  const logprobs: ChosenLogprob[] = [];
  let text = "";
  let thinking = "";
  let end = `"done":false`;
  let cutShort = false;
  for (const event of events) {
    if (calls.take(event)) continue;
    if (event.type === "text" || event.type === "refusal") text += event.text;
    if (event.type === "text" && event.logprobs !== undefined) logprobs.push(...event.logprobs);
    if (event.type === "reasoning") thinking += event.text;
    if (event.type !== "finished") continue;
    cutShort = event.finishReason === "length";
    end = endOf(request, event);
  }
  const done = calls.done();
  const whole = done.flatMap(({ json }) => (json === null ? [] : [json]));
  if (!cutShort) text += done.map((call) => (call.json === null ? call.text : "")).join("");
  const said = write({
    text: lineText(text),
    ...(thinking === "" ? {} : { thinking: lineText(thinking) }),
    ...(whole.length === 0 ? {} : { calls: whole }),
  });
  const tokens = request.logprobs === null ? "" : `,"logprobs":${wireLogprobs(logprobs)}`;
  return `${headOf(request, facts)}${said}${tokens},${end}}`;
}

type Finished = Extract<ChatEvent, { type: "finished" }>;

function endOf(request: ChatRequest, { finishReason, usage, timings }: Finished): string {
  const reason = request.loadOnly === true ? "load" : doneReasons[finishReason];
  return `"done":true,${JSON.stringify({ done_reason: reason, ...figures(usage, timings) }).slice(1, -1)}`;
}

function figures(usage: Usage, timings: Timings): object {
  const { queueMs, loadMs, prefillMs, decodeMs } = timings;
  return {
    total_duration: nanosOf(queueMs + loadMs + prefillMs + decodeMs),
    load_duration: nanosOf(loadMs),
    prompt_eval_count: usage.promptTokens,
    prompt_eval_cached_count: usage.cachedTokens,
    prompt_eval_duration: nanosOf(prefillMs),
    eval_count: usage.completionTokens,
    eval_duration: nanosOf(decodeMs),
  };
}

/** Nanoseconds. */
export function nanosOf(ms: number): number {
  return Math.round(ms * 1_000_000);
}

/** JSON has no infinity. */
const lowestLogprob = -9999;

function wireLogprobs(tokens: readonly ChosenLogprob[]): string {
  const one = ({ text, bytes, logprob }: TokenLogprob) => ({
    token: text,
    logprob: Number.isFinite(logprob) ? logprob : lowestLogprob,
    bytes,
  });
  const all = tokens.map((token) => ({ ...one(token), top_logprobs: token.top.map(one) }));
  return oneLine(JSON.stringify(all));
}

/**
 * An OpenAI completion, streamed or whole, from anybody who speaks the shape → `ChatEvent`s. Pure; runs in the server process;
 * imports the domain only. Strict about the end as the chat's decoder is: without a reason why it ended an answer is cut.
 */
import { brokenOff, unreadable } from "../upstream-words.ts";
import { parsedJson } from "../../domain/json-text.ts";
import {
  answersOf,
  type ChatEvent,
  type ChosenLogprob,
  type ChatRequest,
  type FinishReason,
} from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import { noTimings } from "../../domain/usage.ts";
import type { AnswerDecoder, CallFacts, UpstreamFrame } from "../called.ts";
import { failureInAnswer } from "../openai-chat/called-failure.ts";
import { at, isWireObject, type WireObject } from "../usage/figures.ts";
import { readOpenaiChatFrame } from "../usage/openai-chat.ts";
import { noUpstreamUsage } from "../usage/upstream-usage.ts";
import { isHalf } from "../whole-text.ts";

const dialect = "openai-completions";

const finishReasons: Readonly<Record<string, FinishReason>> = Object.freeze({
  stop: "stop",
  eos: "stop",
  length: "length",
  max_tokens: "length",
  content_filter: "content-filter",
});

export function completionDecoder(request: ChatRequest, { traits }: CallFacts): AnswerDecoder {
  const expected = answersOf(request);
  const many = expected > 1;
  const reasons = new Map<number, FinishReason>();
  let used: UpstreamUsage = noUpstreamUsage;
  let ended = false;

  function failed(failure: Failure): readonly ChatEvent[] {
    ended = true;
    return [{ type: "failed", failure, usage: used.usage, timings: noTimings, upstream: used }];
  }

  function finished(): readonly ChatEvent[] {
    const finishReason = reasons.get(0);
    if (reasons.size < expected || finishReason === undefined) return failed(brokenOff());
    ended = true;
    return [{ type: "finished", finishReason, usage: used.usage, timings: noTimings, upstream: used }];
  }

  /** The text of one choice, and its end where it says one. A failure: the upstream broke off and says so. */
  function choiceEvents(wire: unknown, isWhole: boolean): readonly ChatEvent[] | Failure {
    const said = at(wire, "index");
    const index = many && typeof said === "number" ? said : 0;
    if (!Number.isInteger(index) || index < 0 || index >= expected || reasons.has(index)) return [];
    const events: ChatEvent[] = [];
    const of = many ? { choice: index } : {};
    const text = at(wire, "text");
    if (typeof text === "string" && text !== "") {
      const logprobs = request.logprobs === null ? [] : chosenLogprobs(at(wire, "logprobs"));
      events.push({ type: "text", text, ...(logprobs.length === 0 ? {} : { logprobs }), ...of });
    }
    // A whole answer is whole even where the reason is missing.
    const reason = at(wire, "finish_reason") || (isWhole ? "stop" : null);
    if (typeof reason !== "string") return events;
    if (reason === "error") return new Failure("upstream_failed", "The upstream failed inside its answer.");
    if (reason === "abort") return new Failure("upstream_cut", "The upstream broke its answer off.");
    const finishReason = (Object.hasOwn(finishReasons, reason) ? finishReasons[reason] : undefined) ?? "stop";
    reasons.set(index, finishReason);
    if (many) events.push({ type: "choice-finished", choice: index, finishReason });
    return events;
  }

  function read(body: WireObject, isWhole: boolean): readonly ChatEvent[] {
    used = readOpenaiChatFrame(body, traits, used);
    const error = body.error ?? (body.object === "error" ? body : null);
    if (error !== null && error !== false) return failed(failureInAnswer(error));
    const events: ChatEvent[] = [];
    for (const choice of Array.isArray(body.choices) ? body.choices : []) {
      const found = choiceEvents(choice, isWhole);
      if (found instanceof Failure) return [...events, ...failed(found)];
      events.push(...found);
    }
    return events;
  }

  return {
    frame({ event, data }: UpstreamFrame) {
      if (ended || data.trim() === "") return [];
      if (data.trim() === "[DONE]") return finished();
      const chunk = parsedJson(data);
      if (!isWireObject(chunk)) return failed(unreadable());
      const events = read(chunk, false);
      if (events.length === 0) return [{ type: "frame", wire: { dialect, event, data } }];
      return events;
    },
    whole(body) {
      if (ended) return [];
      const answer = parsedJson(body);
      if (!isWireObject(answer)) return failed(isHalf(body) ? brokenOff() : unreadable());
      const events = read(answer, true);
      return ended ? events : [...events, ...finished()];
    },
    ended: () => (ended ? [] : finished()),
    used: () => used,
  };
}

/** The older shape: lists beside each other. */
function chosenLogprobs(wire: unknown): readonly ChosenLogprob[] {
  const tokens: unknown = at(wire, "tokens");
  const logprobs: unknown = at(wire, "token_logprobs");
  const tops: unknown = at(wire, "top_logprobs");
  if (!Array.isArray(tokens) || !Array.isArray(logprobs)) return [];
  return tokens.flatMap((text: unknown, index): ChosenLogprob[] => {
    const logprob: unknown = logprobs[index];
    if (typeof text !== "string" || typeof logprob !== "number") return [];
    const top: unknown = Array.isArray(tops) ? tops[index] : null;
    const others = isWireObject(top) ? Object.entries(top) : [];
    return [
      {
        ...{ text, bytes: bytesOf(text), logprob },
        top: others.flatMap(([other, value]) =>
          typeof value === "number" ? [{ text: other, bytes: bytesOf(other), logprob: value }] : [],
        ),
      },
    ];
  });
}

function bytesOf(text: string): readonly number[] {
  return [...new TextEncoder().encode(text)];
}

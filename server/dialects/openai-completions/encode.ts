/** `ChatEvent`s → OpenAI's completion chunks or one completion. Pure; runs in the server process; imports the domain only. */
import {
  answersOf,
  type ChatEvent,
  type ChatRequest,
  type ChosenLogprob,
  type FinishReason,
} from "../../domain/chat.ts";
import { closingComment } from "../closing-comment.ts";
import type { ChatEncoder, ClosingFacts, ReplyFacts } from "../dialect.ts";
import { failureFrame } from "../openai-chat/failure.ts";
import { finiteLogprob } from "../openai-chat/logprobs.ts";
import { wireUsage } from "../openai-usage.ts";

/** A completion calls no tools: what would have been a call is text that ended. */
const finishReasons = Object.freeze({
  stop: "stop",
  length: "length",
  "tool-calls": "stop",
  "content-filter": "content_filter",
  pause: "stop",
}) satisfies Record<FinishReason, string>;

export function completionEncoder(request: ChatRequest, facts: ReplyFacts): ChatEncoder {
  const envelope = {
    id: `cmpl-${facts.requestId}`,
    object: "text_completion",
    created: facts.createdAtS,
    model: facts.model,
    system_fingerprint: facts.fingerprint,
  };
  const many = answersOf(request) > 1;
  const offsets: number[] = [];
  let finished = false;

  function chunk(choice: object): string {
    const usage = request.includeUsage ? { usage: null } : {};
    return `data: ${JSON.stringify({ ...envelope, choices: [choice], ...usage })}\n\n`;
  }

  function end(index: number, finishReason: FinishReason): string {
    return chunk({ index, text: "", logprobs: null, finish_reason: finishReasons[finishReason] });
  }

  function frames(event: ChatEvent): string {
    switch (event.type) {
      // A completion has no other place for why a model declines.
      case "refusal":
      case "text": {
        const index = event.choice ?? 0;
        const offset = offsets[index] ?? 0;
        offsets[index] = offset + event.text.length;
        const found = event.type === "text" ? event.logprobs : undefined;
        const logprobs = found === undefined ? null : legacyLogprobs(found, offset);
        return chunk({ index, text: event.text, logprobs, finish_reason: null });
      }
      case "choice-finished":
        return end(event.choice, event.finishReason);
      case "finished": {
        finished = true;
        const usage = { ...envelope, choices: [], usage: wireUsage(event.usage) };
        const last = many ? "" : end(0, event.finishReason);
        return request.includeUsage ? `${last}data: ${JSON.stringify(usage)}\n\n` : last;
      }
      case "failed":
        return failureFrame(event.failure);
      default:
        return "";
    }
  }

  function close(closing: ClosingFacts): string {
    // Without `[DONE]` a client knows that what it has is not the whole answer.
    return closingComment(closing) + (finished ? "data: [DONE]\n\n" : "");
  }

  function whole(events: readonly ChatEvent[]): string {
    const choices = Array.from({ length: answersOf(request) }, (_, index) => {
      const own = events.filter(isTextual).filter((event) => (event.choice ?? 0) === index);
      const text = own.map((event) => event.text).join("");
      const logprobs = own.flatMap((event) => (event.type === "text" ? (event.logprobs ?? []) : []));
      return {
        index,
        text,
        logprobs: request.logprobs === null ? null : legacyLogprobs(logprobs, 0),
        finish_reason: finishOf(events, index),
      };
    });
    const last = events.find((event) => event.type === "finished");
    const usage = last?.type === "finished" ? { usage: wireUsage(last.usage) } : {};
    return JSON.stringify({ ...envelope, choices, ...usage });
  }

  return { frames, close, whole };
}

function isTextual(event: ChatEvent): event is Extract<ChatEvent, { type: "text" | "refusal" }> {
  return event.type === "text" || event.type === "refusal";
}

function finishOf(events: readonly ChatEvent[], index: number): string | null {
  for (const event of events) {
    if (event.type === "choice-finished" && event.choice === index) return finishReasons[event.finishReason];
    if (event.type === "finished") return finishReasons[event.finishReason];
  }
  return null;
}

/** The older shape: lists beside each other. `offset` is where the first token begins in the answer, in characters. */
function legacyLogprobs(tokens: readonly ChosenLogprob[], offset: number): object {
  let at = offset;
  const offsets = tokens.map(({ text }) => {
    at += text.length;
    return at - text.length;
  });
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => finiteLogprob(logprob)),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map((one) => [one.text, finiteLogprob(one.logprob)]))),
    text_offset: offsets,
  };
}

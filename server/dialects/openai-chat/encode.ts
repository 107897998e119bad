/**
 * `ChatEvent`s → OpenAI chunks or one completion. Pure; runs in the server process; imports the domain only.
 *
 * A text chunk is written for every token of every stream, so its envelope is built once per choice and only the text is
 * stringified. Frames that came from an upstream of this dialect go on as they are (`passed.ts`).
 */
import {
  answersOf,
  type ChatEvent,
  type ChatRequest,
  type ChosenLogprob,
  type FinishReason,
} from "../../domain/chat.ts";
import { closingComment } from "../closing-comment.ts";
import type { ChatEncoder, ClosingFacts, ReplyFacts } from "../dialect.ts";
import { wireUsage } from "../openai-usage.ts";
import { failureFrame } from "./failure.ts";
import { wireLogprobs } from "./logprobs.ts";
import { isUsageOnly, isWholeAnswer, modelEditor, ownFrame } from "./passed.ts";
import { reasoningDetail } from "./reasoning-details.ts";
import { finishReasons, signed, wholeAnswer } from "./whole.ts";

export function chatEncoder(request: ChatRequest, facts: ReplyFacts): ChatEncoder {
  const id = `chatcmpl-${facts.requestId}`;
  const head =
    `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${facts.createdAtS},` +
    `"model":${JSON.stringify(facts.model)},"system_fingerprint":${JSON.stringify(facts.fingerprint)},"choices":[`;
  // A client that asked for usage is told `null` on every chunk but the last, as OpenAI does.
  const tail = request.includeUsage ? `],"usage":null}\n\n` : "]}\n\n";
  const many = answersOf(request) > 1;
  const choices: ChoiceFrames[] = [];
  const withAlias = modelEditor(facts.model);
  /** The last frame seen is of this dialect: what was read `above` from it has been handed on with it. */
  let passing = false;
  /** By choice: what was thought since its last signed block. */
  const thought: string[] = [];
  let finished = false;

  /** The frame an event came in, as it is; null: the event has to be written here. */
  function passed(event: ChatEvent): string | null {
    // A failure is told in our own words, whatever came before.
    if (event.type === "failed" || event.type === "aborted" || event.wire === undefined) return null;
    if (event.wire === "above") return passing ? "" : null;
    const frame = ownFrame(event);
    // The body of an answer in one piece is no frame: this client reads a stream.
    if (frame === null || (event.type === "finished" && !passing)) {
      passing = false;
      return null;
    }
    passing = true;
    if (frame.data === "[DONE]" || (!request.includeUsage && isUsageOnly(frame.data))) return "";
    return `data: ${withAlias(frame.data)}\n\n`;
  }

  function framesOf(index: number): ChoiceFrames {
    const known = choices[index] ?? new ChoiceFrames(index, head, tail);
    choices[index] = known;
    return known;
  }

  function frames(event: ChatEvent): string {
    if (event.type === "finished") finished = true;
    return passed(event) ?? written(event);
  }

  function written(event: ChatEvent): string {
    switch (event.type) {
      case "text":
        return framesOf(event.choice ?? 0).text(event.text, event.logprobs);
      case "reasoning":
        thought[event.choice ?? 0] = (thought[event.choice ?? 0] ?? "") + event.text;
        return framesOf(event.choice ?? 0).delta("null", `{"reasoning_content":${JSON.stringify(event.text)}}`);
      case "reasoning-block": {
        const detail = reasoningDetail(event.block, thought[event.choice ?? 0] ?? "");
        thought[event.choice ?? 0] = "";
        if (detail === null) return "";
        return framesOf(event.choice ?? 0).delta("null", `{"reasoning_details":[${JSON.stringify(detail)}]}`);
      }
      case "refusal":
        return framesOf(event.choice ?? 0).delta("null", `{"refusal":${JSON.stringify(event.text)}}`);
      case "tool-call": {
        const call = {
          index: event.index,
          id: event.id,
          type: "function",
          function: { name: event.name, arguments: "" },
          ...signed(event.signature),
        };
        return framesOf(event.choice ?? 0).delta("null", `{"tool_calls":[${JSON.stringify(call)}]}`);
      }
      case "tool-arguments": {
        const piece = { index: event.index, function: { arguments: event.text } };
        return framesOf(event.choice ?? 0).delta("null", `{"tool_calls":[${JSON.stringify(piece)}]}`);
      }
      case "choice-finished":
        return framesOf(event.choice).end(event.finishReason);
      case "finished": {
        const end = many ? "" : framesOf(0).end(event.finishReason);
        return request.includeUsage ? `${end}${head}],"usage":${JSON.stringify(wireUsage(event.usage))}}\n\n` : end;
      }
      case "failed":
        return failureFrame(event.failure);
      case "accepted":
      case "started":
      case "frame":
      case "aborted":
        return "";
    }
  }

  function close(closing: ClosingFacts): string {
    // Without `[DONE]` a client knows that what it has is not the whole answer.
    return closingComment(closing) + (finished ? "data: [DONE]\n\n" : "");
  }

  function whole(events: readonly ChatEvent[]): string {
    const end = events.findLast((event) => event.type === "finished");
    const body = end === undefined ? null : ownFrame(end);
    return body !== null && isWholeAnswer(body.data) ? withAlias(body.data) : wholeAnswer(events, id, facts);
  }

  return { frames, close, whole };
}

/** The chunks of one choice. */
class ChoiceFrames {
  readonly #open: string;
  readonly #running: string;
  readonly #tail: string;
  #begun = false;

  constructor(index: number, head: string, tail: string) {
    this.#open = `${head}{"index":${index},"delta":`;
    this.#running = `,"logprobs":null,"finish_reason":null}${tail}`;
    this.#tail = tail;
  }

  text(text: string, logprobs: readonly ChosenLogprob[] | undefined): string {
    const delta = `{"content":${JSON.stringify(text)}}`;
    if (logprobs === undefined) return this.delta('""', delta);
    const found = `,"logprobs":${JSON.stringify(wireLogprobs(logprobs))},"finish_reason":null}${this.#tail}`;
    return `${this.#opening('""')}${this.#open}${delta}${found}`;
  }

  /** `firstContent` is what the chunk with the role carries, where this is the first content. */
  delta(firstContent: string, delta: string): string {
    return `${this.#opening(firstContent)}${this.#open}${delta}${this.#running}`;
  }

  end(finishReason: FinishReason): string {
    const end = `${this.#open}{},"logprobs":null,"finish_reason":"${finishReasons[finishReason]}"}${this.#tail}`;
    return `${this.#opening('""')}${end}`;
  }

  /** The chunk that names the role, before the first content and never again. */
  #opening(content: string): string {
    if (this.#begun) return "";
    this.#begun = true;
    return `${this.#open}{"role":"assistant","content":${content}}${this.#running}`;
  }
}

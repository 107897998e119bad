/**
 * The usage of an answer that was recorded: a JSON body, or the text of a stream, in any wire shape we know. For looking at one
 * answer by hand; live answers go through the decoders of their dialects. Pure, never throws; imports the domain only.
 */
import { parsedJson } from "../../domain/json-text.ts";
import { createParser } from "eventsource-parser";
import { estimatedTokens } from "../../domain/prompt-estimate.ts";
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { readAnthropicFrame } from "./anthropic.ts";
import { at, isWireObject } from "./figures.ts";
import { readGeminiFrame } from "./gemini.ts";
import { readOllamaUsage } from "./ollama.ts";
import { readOpenaiChatFrame } from "./openai-chat.ts";
import { readOpenaiResponsesFrame } from "./openai-responses.ts";
import { charactersIn } from "./recorded-text.ts";
import { estimatedUsage, noUpstreamUsage } from "./upstream-usage.ts";

/** Told apart by the words each shape alone has. */
export type RecordedShape = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini" | "ollama";

export interface Recorded {
  /** Null: nothing in it is known to us. */
  readonly shape: RecordedShape | null;
  readonly used: UpstreamUsage;
  /** JSON values it was made of: 1 for a body. */
  readonly frames: number;
}

const readers = Object.freeze({
  "openai-chat": readOpenaiChatFrame,
  "openai-responses": readOpenaiResponsesFrame,
  "anthropic-messages": readAnthropicFrame,
  gemini: readGeminiFrame,
  ollama: readOllamaUsage,
} satisfies Record<RecordedShape, (frame: unknown, traits: CallTraits, previous?: UpstreamUsage) => UpstreamUsage>);

/** `promptTokens`: what the prompt counts when the answer says nothing. */
export function usageOfBody(body: unknown, traits: CallTraits, promptTokens = 0): Recorded {
  return usageOfFrames([body], traits, promptTokens);
}

/** SSE as it came over the wire; without framing, JSON lines or a JSON array of chunks. */
export function usageOfStream(text: string, traits: CallTraits, promptTokens = 0): Recorded {
  return usageOfFrames(framesOf(text), traits, promptTokens);
}

function usageOfFrames(frames: readonly unknown[], traits: CallTraits, promptTokens: number): Recorded {
  const shape = frames.map(shapeOf).find((known) => known !== null) ?? null;
  let used: UpstreamUsage | undefined;
  if (shape !== null) for (const frame of frames) used = readers[shape](frame, traits, used);
  const said = used ?? noUpstreamUsage;
  if (!said.flags.includes("usage_absent")) return { shape, used: said, frames: frames.length };
  const characters = frames.reduce<number>((sum, frame) => sum + charactersIn(frame), 0);
  const estimate = estimatedUsage(promptTokens, estimatedTokens(characters));
  return {
    shape,
    used: { ...estimate, serviceTier: said.serviceTier, reported: said.reported, flags: said.flags, raw: said.raw },
    frames: frames.length,
  };
}

function shapeOf(frame: unknown): RecordedShape | null {
  if (!isWireObject(frame)) return null;
  const { type, object } = frame;
  if ("usageMetadata" in frame || "candidates" in frame) return "gemini";
  if (object === "response" || isWireObject(frame.response) || /^response\./.test(String(type)))
    return "openai-responses";
  if (type === "message" || /^(message|content_block)_/.test(String(type))) return "anthropic-messages";
  if ("prompt_eval_count" in frame || "eval_count" in frame || typeof frame.done === "boolean") return "ollama";
  if ("choices" in frame || "x_groq" in frame) return "openai-chat";
  if (at(frame, "usage", "prompt_tokens") !== undefined) return "openai-chat";
  if (at(frame, "usage", "cache_read_input_tokens") !== undefined) return "anthropic-messages";
  if (at(frame, "usage", "input_tokens") !== undefined) {
    return isWireObject(at(frame, "usage", "input_tokens_details")) ? "openai-responses" : "anthropic-messages";
  }
  return null;
}

/** Every JSON value of a stream, in order; what is none (`[DONE]`, comments, half a line) is left out. */
function framesOf(text: string): unknown[] {
  const whole = text.trimStart().startsWith("[") ? parsedJson(text) : undefined;
  if (Array.isArray(whole)) return whole;
  const datas: string[] = [];
  if (/^data:/m.test(text)) {
    const parser = createParser({ onEvent: ({ data }) => datas.push(data) });
    parser.feed(text);
    // A recording that ends without an empty line still has its last event.
    parser.feed("\n\n");
  } else datas.push(...text.split(/\r\n|\r|\n/));
  return datas.map(parsedJson).filter((frame) => frame !== undefined);
}

/**
 * An Anthropic stream or message → `ChatEvent`s. Pure state of one answer; runs wherever an upstream is read; imports the domain
 * only. Takes what imitators send as well: events without names, indices that jump, blocks that are never closed.
 */
import { parsedJson } from "../../domain/json-text.ts";
import type { ChatEvent, ChatRequest, WireFrame } from "../../domain/chat.ts";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import { noTimings } from "../../domain/usage.ts";
import type { AnswerDecoder, CallFacts, UpstreamFrame } from "../called.ts";
import { readAnthropicFrame } from "../usage/anthropic.ts";
import { at } from "../usage/figures.ts";
import { noUpstreamUsage } from "../usage/upstream-usage.ts";
import { isHalf } from "../whole-text.ts";
import { AnswerBlocks, type Fact } from "./answer-blocks.ts";
import { streamFailure } from "./refusal.ts";
import { dialectId } from "./signature.ts";
import { finishReasonOf } from "./stop-reasons.ts";

export function answerDecoder(request: ChatRequest, facts: CallFacts): AnswerDecoder {
  const blocks = new AnswerBlocks(request);
  let used: UpstreamUsage | undefined;
  let begun = false;
  let over = false;
  let stopReason: string | null = null;
  let stopSequence: string | null = null;

  const usage = (): UpstreamUsage => used ?? noUpstreamUsage;
  const spent = () => ({ usage: usage().usage, timings: noTimings, upstream: usage() });

  function failed(failure: Failure): Fact {
    over = true;
    return { type: "failed", failure, ...spent() };
  }

  function broken(code: FailureCode, words: string): Fact {
    return failed(new Failure(code, words));
  }

  function finished(): Fact {
    over = true;
    const reason = blocks.answersByTool && stopReason === "tool_use" ? "end_turn" : stopReason;
    return {
      type: "finished",
      finishReason: finishReasonOf(reason, blocks.hasCalls),
      ...(stopSequence === null ? {} : { stopSequence }),
      ...spent(),
    };
  }

  function started(): Fact {
    begun = true;
    const { promptTokens, cachedTokens } = usage().usage;
    return { type: "started", promptTokens, cachedTokens };
  }

  /** `stop_reason` and what goes with it, out of a message or a `message_delta`'s delta. */
  function stopped(from: unknown): readonly Fact[] {
    stopReason = textOf(at(from, "stop_reason")) ?? stopReason;
    stopSequence = textOf(at(from, "stop_sequence")) ?? stopSequence;
    const why = textOf(at(from, "stop_details", "explanation"));
    return why === null || why === "" ? [] : [{ type: "refusal", text: why }];
  }

  function read(type: string | null, data: unknown): readonly Fact[] {
    switch (type) {
      case "message_start":
        used = readAnthropicFrame(data, facts.traits, used);
        return begun ? [] : [started()];
      case "content_block_start":
        begun = true;
        return blocks.start(at(data, "index"), at(data, "content_block"));
      case "content_block_delta":
        begun = true;
        return blocks.delta(at(data, "index"), at(data, "delta"));
      case "content_block_stop":
        return blocks.stop(at(data, "index"));
      case "message_delta":
        begun = true;
        used = readAnthropicFrame(data, facts.traits, used);
        return stopped(at(data, "delta"));
      case "message_stop":
        if (!begun) return [broken("upstream_failed", "The provider's answer ended before it had begun.")];
        return [...blocks.stopAll(), finished()];
      case "error":
        return [failed(streamFailure(data))];
      default:
        // An error that names itself by nothing but its field.
        return at(data, "error") === undefined || begun ? [] : [failed(streamFailure(data))];
    }
  }

  function frame({ event, data }: UpstreamFrame): readonly ChatEvent[] {
    if (over) return [];
    const wire: WireFrame = { dialect: dialectId, event, data };
    if (data.trim() === "" || data.trim() === "[DONE]") return [{ type: "frame", wire }];
    const value = parsedJson(data);
    if (value === undefined) {
      return [{ ...broken("upstream_failed", "The provider sent an event that is no JSON."), wire }];
    }
    const [first, ...rest] = read(textOf(at(value, "type")) ?? event, value);
    if (first === undefined) return [{ type: "frame", wire }];
    return [{ ...first, wire }, ...rest.map((fact): ChatEvent => ({ ...fact, wire: "above" }))];
  }

  function ended(): readonly ChatEvent[] {
    if (over) return [];
    return [broken("upstream_cut", "The provider's answer broke off before its end.")];
  }

  function whole(body: string): readonly ChatEvent[] {
    if (over) return [];
    const wire: WireFrame = { dialect: dialectId, event: null, data: body };
    if (isHalf(body)) return [{ ...broken("upstream_cut", "The provider's answer broke off before its end."), wire }];
    const value = parsedJson(body);
    const content = at(value, "content");
    if (at(value, "type") === "error" || at(value, "error") !== undefined)
      return [{ ...failed(streamFailure(value)), wire }];
    if (!Array.isArray(content)) {
      return [{ ...broken("upstream_failed", "The provider's answer is no message."), wire }];
    }
    used = readAnthropicFrame(value, facts.traits);
    const inside: readonly Fact[] = [
      started(),
      ...content.flatMap((block: unknown, index) => [...blocks.start(index, block), ...blocks.stop(index)]),
      ...stopped(value),
    ];
    return [...inside.map((fact): ChatEvent => ({ ...fact, wire: "above" })), { ...finished(), wire }];
  }

  return { frame, ended, whole, used: usage };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/**
 * Gemini's answer, streamed or whole, → `ChatEvent`s. Pure; runs in the server process; imports the domain only.
 *
 * There is no terminator: the body's end is the answer's, if a reason was given. Calls come whole and often without an id; the
 * reason stays `STOP` with them.
 */
import { brokenOff, unreadable } from "../upstream-words.ts";
import { parsedJson } from "../../domain/json-text.ts";
import { answersOf, type ChatEvent, type ChatRequest, type FinishReason, type WireFrame } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import { noTimings } from "../../domain/usage.ts";
import { callIdMaker } from "../call-ids.ts";
import type { AnswerDecoder, CallFacts, UpstreamFrame } from "../called.ts";
import { freeTextOf, isFreeText, namedTools, toolOf } from "../tool-names.ts";
import { at, isWireObject } from "../usage/figures.ts";
import { readGeminiFrame } from "../usage/gemini.ts";
import { isHalf } from "../whole-text.ts";
import { noUpstreamUsage } from "../usage/upstream-usage.ts";
import { failureInAnswer } from "./failure.ts";

const dialect = "gemini";

const finishReasons: Readonly<Record<string, FinishReason>> = Object.freeze({
  STOP: "stop",
  MAX_TOKENS: "length",
  SAFETY: "content-filter",
  RECITATION: "content-filter",
  LANGUAGE: "content-filter",
  BLOCKLIST: "content-filter",
  PROHIBITED_CONTENT: "content-filter",
  SPII: "content-filter",
  IMAGE_SAFETY: "content-filter",
  IMAGE_PROHIBITED_CONTENT: "content-filter",
  MODEL_ARMOR: "content-filter",
});

interface Candidate {
  calls: number;
  finishReason: FinishReason | null;
}

export function answerDecoder(request: ChatRequest, facts: CallFacts): AnswerDecoder {
  const expected = answersOf(request);
  const tools = namedTools(request.tools);
  const nextId = callIdMaker(request);
  const candidates = new Map<number, Candidate>();
  let used: UpstreamUsage = noUpstreamUsage;
  let ended = false;

  function failed(failure: Failure): readonly ChatEvent[] {
    ended = true;
    return [{ type: "failed", failure, usage: used.usage, timings: noTimings, upstream: used }];
  }

  function finished(wire: WireFrame | "above"): readonly ChatEvent[] {
    const finishReason = candidates.get(0)?.finishReason ?? null;
    const all = [...candidates.values()];
    if (finishReason === null || all.length < expected || all.some((one) => one.finishReason === null)) {
      return failed(brokenOff());
    }
    ended = true;
    return [{ type: "finished", finishReason, usage: used.usage, timings: noTimings, upstream: used, wire }];
  }

  function partEvents(part: unknown, candidate: Candidate, choice: { readonly choice?: number }): ChatEvent[] {
    const call = at(part, "functionCall");
    const signature = at(part, "thoughtSignature");
    if (isWireObject(call)) {
      const wireName = typeof call.name === "string" ? call.name : "";
      const index = candidate.calls;
      candidate.calls += 1;
      const json = JSON.stringify(isWireObject(call.args) ? call.args : {});
      const id = typeof call.id === "string" && call.id !== "" ? call.id : nextId();
      const signed = typeof signature === "string" ? { signature } : {};
      return [
        { type: "tool-call", index, id, ...toolOf(wireName, tools), ...signed, ...choice },
        {
          type: "tool-arguments",
          index,
          text: isFreeText(wireName, tools) ? freeTextOf(json) : json,
          ...choice,
        },
      ];
    }
    const events: ChatEvent[] = [];
    const text = at(part, "text");
    if (typeof text === "string" && text !== "") {
      events.push({ type: at(part, "thought") === true ? "reasoning" : "text", text, ...choice });
    }
    if (typeof signature === "string") {
      events.push({ type: "reasoning-block", block: { text: "", signature, dialect }, ...choice });
    }
    return events;
  }

  /** Why a candidate ended, or why its answer is none. */
  function end(candidate: Candidate, reason: string): Failure | null {
    const said = Object.hasOwn(finishReasons, reason) ? finishReasons[reason] : undefined;
    if (said === undefined) return new Failure("upstream_failed", "The upstream could not end its answer well.");
    candidate.finishReason = said === "stop" && candidate.calls > 0 ? "tool-calls" : said;
    return null;
  }

  /** What one chunk says; a failure ends the answer, after what came before it. */
  function read(chunk: unknown): { events: readonly ChatEvent[]; failure: Failure | null } {
    const events: ChatEvent[] = [];
    if (!isWireObject(chunk)) return { events, failure: unreadable() };
    used = readGeminiFrame(chunk, facts.traits, used);
    if (chunk.error !== undefined && chunk.error !== null) return { events, failure: failureInAnswer(chunk.error) };
    const blocked = at(chunk, "promptFeedback", "blockReason");
    if (typeof blocked === "string" && blocked !== "BLOCK_REASON_UNSPECIFIED") {
      return { events, failure: new Failure("content_filtered", "The provider's filter withheld the prompt.") };
    }
    for (const wire of Array.isArray(chunk.candidates) ? chunk.candidates : []) {
      const written: unknown = at(wire, "index");
      const number = expected > 1 && typeof written === "number" && written >= 0 && written < expected ? written : 0;
      const candidate = candidates.get(number) ?? { calls: 0, finishReason: null };
      candidates.set(number, candidate);
      const choice = expected > 1 ? { choice: number } : {};
      const parts = at(wire, "content", "parts");
      for (const part of Array.isArray(parts) ? parts : []) events.push(...partEvents(part, candidate, choice));
      const reason = at(wire, "finishReason");
      const none = typeof reason !== "string" || reason === "" || reason === "FINISH_REASON_UNSPECIFIED";
      if (none || candidate.finishReason !== null) continue;
      const failure = end(candidate, reason);
      if (failure !== null) return { events, failure };
      const finishReason = candidate.finishReason as FinishReason | null;
      if (expected > 1 && finishReason !== null) events.push({ type: "choice-finished", choice: number, finishReason });
    }
    return { events, failure: null };
  }

  function frame({ event, data }: UpstreamFrame): readonly ChatEvent[] {
    if (ended || data.trim() === "") return [];
    const wire: WireFrame = { dialect, event, data };
    // Proxies add the terminator of another shape.
    if (data.trim() === "[DONE]") return [{ type: "frame", wire }];
    const { events, failure } = read(parsedJson(data));
    const told = events.map((one, index) => ({ ...one, wire: index === 0 ? wire : "above" }) as ChatEvent);
    if (failure !== null) return [...told, ...failed(failure)];
    return told.length > 0 ? told : [{ type: "frame", wire }];
  }

  /** One object, or the list of chunks that a stream without `alt=sse` is. */
  function whole(body: string): readonly ChatEvent[] {
    if (ended) return [];
    const answer = parsedJson(body);
    if (answer === undefined && isHalf(body)) return failed(brokenOff());
    const events: ChatEvent[] = [];
    for (const chunk of Array.isArray(answer) ? answer : [answer]) {
      const { events: told, failure } = read(chunk);
      events.push(...told);
      if (failure !== null) return [...events, ...failed(failure)];
    }
    return [...events, ...finished({ dialect, event: null, data: body })];
  }

  return { frame, whole, ended: () => (ended ? [] : finished("above")), used: () => used };
}

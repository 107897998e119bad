/**
 * An OpenAI chat answer, streamed or whole, from anybody who speaks the shape → `ChatEvent`s. Pure; runs in the server process;
 * imports the domain only.
 *
 * Tolerant in what does not change the meaning (missing ids, null choices, no `[DONE]`, usage in odd places), strict about the
 * end: without a reason why it ended an answer is cut, whatever else came.
 */
import { brokenOff, unreadable } from "../upstream-words.ts";
import { parsedJson } from "../../domain/json-text.ts";
import { answersOf, type ChatEvent, type ChatRequest, type FinishReason, type WireFrame } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import { noTimings } from "../../domain/usage.ts";
import { callIdMaker } from "../call-ids.ts";
import type { AnswerDecoder, CallFacts, UpstreamFrame } from "../called.ts";
import { namedTools } from "../tool-names.ts";
import { at, isWireObject } from "../usage/figures.ts";
import { readOpenaiChatFrame } from "../usage/openai-chat.ts";
import { isHalf } from "../whole-text.ts";
import { noUpstreamUsage } from "../usage/upstream-usage.ts";
import { AnswerChoice } from "./answer-choice.ts";
import { failureInAnswer } from "./called-failure.ts";

const dialect = "openai-chat";
/** As many as a request may ask for (`openai-sampling.ts`). */
const mostChoices = 128;

export function answerDecoder(request: ChatRequest, facts: CallFacts): AnswerDecoder {
  const many = answersOf(request) > 1;
  const tools = namedTools(request.tools);
  const nextId = callIdMaker(request);
  const choices = new Map<number, AnswerChoice>();
  let used: UpstreamUsage = noUpstreamUsage;
  let ended = false;

  function choiceOf(index: unknown): AnswerChoice | null {
    const own = many && typeof index === "number" && Number.isInteger(index) && index >= 0 ? index : 0;
    const known = choices.get(own);
    if (known !== undefined || own >= mostChoices) return known ?? null;
    const fresh = new AnswerChoice(tools, nextId, many ? { choice: own } : {}, request.logprobs !== null);
    choices.set(own, fresh);
    return fresh;
  }

  function failed(failure: Failure): readonly ChatEvent[] {
    ended = true;
    return [{ type: "failed", failure, usage: used.usage, timings: noTimings, upstream: used }];
  }

  function finished(wire: WireFrame | "above"): readonly ChatEvent[] {
    const reason = endReason();
    if (reason === null) return failed(brokenOff());
    ended = true;
    return [{ type: "finished", finishReason: reason, usage: used.usage, timings: noTimings, upstream: used, wire }];
  }

  /** Null: not every answer has said why it ended. */
  function endReason(): FinishReason | null {
    const expected = many ? answersOf(request) : 1;
    if (choices.size < expected) return null;
    let first: FinishReason | null = null;
    for (const [index, { finishReason }] of choices) {
      if (finishReason === null) return null;
      if (index === 0) first = finishReason;
    }
    return first;
  }

  /** The events of one choice of a chunk or a body, or why the answer is none. */
  function choiceEvents(wire: unknown, reason: unknown): readonly ChatEvent[] | Failure {
    const index = at(wire, "index");
    const choice = choiceOf(index);
    if (choice === null) return [];
    const events = [...choice.read(at(wire, "delta") ?? at(wire, "message"), at(wire, "logprobs"))];
    if (typeof reason !== "string" || reason === "" || choice.finishReason !== null) return events;
    const rest = choice.end(reason);
    if (rest instanceof Failure) return rest;
    events.push(...rest);
    if (many && choice.finishReason !== null) {
      const number = typeof index === "number" ? index : 0;
      events.push({ type: "choice-finished", choice: number, finishReason: choice.finishReason });
    }
    return events;
  }

  /** Events of all choices; a failure among them ends the answer, after what came before it. */
  function allChoices(wires: unknown, isWhole: boolean): { events: readonly ChatEvent[]; failure: Failure | null } {
    const events: ChatEvent[] = [];
    for (const wire of Array.isArray(wires) ? wires : []) {
      const said = at(wire, "finish_reason");
      // A whole answer is whole even where the reason is missing.
      const read = choiceEvents(wire, isWhole && !said ? "stop" : said);
      if (read instanceof Failure) return { events, failure: read };
      events.push(...read);
    }
    return { events, failure: null };
  }

  function frame({ event, data }: UpstreamFrame): readonly ChatEvent[] {
    if (ended || data.trim() === "") return [];
    const wire: WireFrame = { dialect, event, data };
    if (data.trim() === "[DONE]") return finished({ ...wire, data: "[DONE]" });
    const chunk = parsedJson(data);
    if (!isWireObject(chunk)) return failed(unreadable());
    used = readOpenaiChatFrame(chunk, facts.traits, used);
    const error = errorIn(chunk, event);
    if (error !== null) return failed(failureInAnswer(error));
    const { events, failure } = allChoices(chunk.choices, false);
    const told = withWire(events, wire);
    if (failure !== null) return [...told, ...failed(failure)];
    return told.length > 0 ? told : [{ type: "frame", wire }];
  }

  function whole(body: string): readonly ChatEvent[] {
    if (ended) return [];
    const answer = parsedJson(body);
    if (!isWireObject(answer)) return failed(isHalf(body) ? brokenOff() : unreadable());
    used = readOpenaiChatFrame(answer, facts.traits, used);
    const error = errorIn(answer, null);
    if (error !== null) return failed(failureInAnswer(error));
    const { events, failure } = allChoices(answer.choices, true);
    if (failure !== null) return [...events, ...failed(failure)];
    if (choices.size === 0) return failed(new Failure("upstream_failed", "The upstream's answer holds no choice."));
    return [...events, ...finished({ dialect, event: null, data: body })];
  }

  return { frame, whole, ended: () => (ended ? [] : finished("above")), used: () => used };
}

/** The first event bears the frame, the others came with it. */
function withWire(events: readonly ChatEvent[], wire: WireFrame): ChatEvent[] {
  return events.map((event, index) => ({ ...event, wire: index === 0 ? wire : "above" }) as ChatEvent);
}

/** What says that something went wrong; null: nothing does. */
function errorIn(body: Readonly<Record<string, unknown>>, event: string | null): unknown {
  if (body.error !== undefined && body.error !== null && body.error !== false) return body.error;
  if (event === "error" || body.object === "error") return body;
  return null;
}

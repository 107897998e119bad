/**
 * What a Responses upstream answers → `ChatEvent`s. Pure. Each frame becomes at least one event that carries it, whether or not
 * it means anything to us: a client of the same wire shape gets it. What came only in a `done` or only at the end (LM Studio
 * sends arguments so) is read from there.
 */
import { parsedJson } from "../../domain/json-text.ts";
import type { ChatEvent, ChatRequest, FinishReason, WireFrame } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import { noTimings } from "../../domain/usage.ts";
import type { AnswerDecoder, CallFacts, UpstreamFrame } from "../called.ts";
import { at, isWireObject } from "../usage/figures.ts";
import { readOpenaiResponsesFrame } from "../usage/openai-responses.ts";
import { noUpstreamUsage } from "../usage/upstream-usage.ts";
import { failureInAnswer } from "../openai-chat/called-failure.ts";
import { calledName } from "./called-items.ts";
import { responsesId } from "./signature.ts";

/** What an event says, before it is known which frame it came from. */
type Said = ChatEvent extends infer Event ? (Event extends { wire?: unknown } ? Omit<Event, "wire"> : never) : never;

/** What of one item has been handed on. */
interface Seen {
  /** Texts by kind and place: `text:0`. */
  readonly texts: Map<string, string>;
  /** Which call of the answer it is; null: none. */
  call: number | null;
  done: boolean;
}

export function decoder({ tools }: ChatRequest, { traits }: CallFacts): AnswerDecoder {
  let used: UpstreamUsage = noUpstreamUsage;
  let over = false;
  let calls = 0;
  const items = new Map<string, Seen>();

  function seen(index: unknown): Seen {
    const key = String(index);
    const known = items.get(key) ?? { texts: new Map(), call: null, done: false };
    items.set(key, known);
    return known;
  }

  /** The whole text of a place is known: what has not been handed on yet. */
  function rest(item: Seen, place: string, whole: unknown): string {
    if (typeof whole !== "string") return "";
    const had = item.texts.get(place) ?? "";
    if (!whole.startsWith(had)) return "";
    item.texts.set(place, whole);
    return whole.slice(had.length);
  }

  function more(item: Seen, place: string, delta: unknown): string {
    if (typeof delta !== "string") return "";
    item.texts.set(place, (item.texts.get(place) ?? "") + delta);
    return delta;
  }

  function callBegins(item: Seen, wire: unknown): Said[] {
    if (item.call !== null) return [];
    item.call = calls;
    calls += 1;
    const namespace = at(wire, "namespace");
    return [
      {
        type: "tool-call",
        index: item.call,
        id: text(at(wire, "call_id")) || text(at(wire, "id")) || `call_${item.call}`,
        name: calledName(tools, text(at(wire, "name")), typeof namespace === "string" ? namespace : undefined),
        ...(typeof namespace === "string" ? { namespace } : {}),
        ...(at(wire, "type") === "custom_tool_call" ? { custom: true } : {}),
      },
    ];
  }

  function argumentsOf(item: Seen, piece: string): Said[] {
    return item.call === null || piece === "" ? [] : [{ type: "tool-arguments", index: item.call, text: piece }];
  }

  /** An item as it is known so far; `whole`: and it will not change any more. */
  function itemSaid(item: Seen, wire: unknown, whole: boolean): Said[] {
    const type = at(wire, "type");
    if (type === "function_call" || type === "custom_tool_call") {
      const written = at(wire, type === "function_call" ? "arguments" : "input");
      return [...callBegins(item, wire), ...argumentsOf(item, rest(item, "arguments", written))];
    }
    if (!whole || item.done) return [];
    item.done = true;
    if (type === "message") return list(at(wire, "content")).flatMap((part, place) => partSaid(item, part, place));
    if (type !== "reasoning") return [];
    const thoughts = [
      ...list(at(wire, "content")).map((part, place) => rest(item, `thought:${place}`, at(part, "text"))),
      ...list(at(wire, "summary")).map((part, place) =>
        between(place, rest(item, `summary:${place}`, at(part, "text"))),
      ),
    ].filter((one) => one !== "");
    const signature = at(wire, "encrypted_content");
    const id = at(wire, "id");
    const block = {
      text: "",
      signature: typeof signature === "string" && signature !== "" ? signature : null,
      dialect: responsesId,
      ...(typeof id === "string" ? { id } : {}),
    };
    return [...thoughts.map((one): Said => ({ type: "reasoning", text: one })), { type: "reasoning-block", block }];
  }

  function partSaid(item: Seen, part: unknown, place: number): Said[] {
    const isRefusal = at(part, "type") === "refusal";
    const kind = isRefusal ? "refusal" : "text";
    return saying(kind, rest(item, `${kind}:${place}`, at(part, isRefusal ? "refusal" : "text")));
  }

  function saidBy(type: string, fields: unknown): Said[] {
    const item = seen(at(fields, "output_index"));
    const place = text(at(fields, "content_index"));
    const delta = at(fields, "delta");
    switch (type) {
      case "response.output_item.added":
        return itemSaid(item, at(fields, "item"), false);
      case "response.output_item.done":
        return itemSaid(item, at(fields, "item"), true);
      case "response.output_text.delta":
        return saying("text", more(item, `text:${place}`, delta));
      case "response.output_text.done":
        return saying("text", rest(item, `text:${place}`, at(fields, "text")));
      case "response.refusal.delta":
        return saying("refusal", more(item, `refusal:${place}`, delta));
      case "response.refusal.done":
        return saying("refusal", rest(item, `refusal:${place}`, at(fields, "refusal")));
      case "response.reasoning_text.delta":
        return saying("reasoning", more(item, `thought:${place}`, delta));
      case "response.reasoning_summary_text.delta": {
        const index = at(fields, "summary_index");
        const isFirst = !item.texts.has(`summary:${text(index)}`);
        const piece = more(item, `summary:${text(index)}`, delta);
        return saying("reasoning", isFirst ? between(index, piece) : piece);
      }
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        return argumentsOf(item, more(item, "arguments", delta));
      case "response.function_call_arguments.done":
        return argumentsOf(item, rest(item, "arguments", at(fields, "arguments")));
      case "response.custom_tool_call_input.done":
        return argumentsOf(item, rest(item, "arguments", at(fields, "input")));
      default:
        return [];
    }
  }

  /** All items of a whole response, as far as they have not been handed on. */
  function itemsSaid(response: unknown): Said[] {
    return list(at(response, "output")).flatMap((wire, index) => itemSaid(seen(index), wire, true));
  }

  function ended(response: unknown): Said[] {
    over = true;
    const said = itemsSaid(response);
    return [...said, { type: "finished", finishReason: finishReason(response, calls > 0), ...spent() }];
  }

  function failed(failure: Failure): Said {
    over = true;
    return { type: "failed", failure, ...spent() };
  }

  function spent() {
    return { usage: used.usage, timings: noTimings, upstream: used };
  }

  function read(type: string, fields: unknown): Said[] {
    const response = at(fields, "response");
    if (isWireObject(at(response, "usage"))) used = readOpenaiResponsesFrame(fields, traits, used);
    switch (type) {
      case "response.completed":
      case "response.incomplete":
        return ended(response);
      case "response.failed":
        return [failed(failureInAnswer(at(response, "error")))];
      case "response.cancelled":
        return [failed(new Failure("upstream_cut", "The upstream stopped the answer."))];
      case "error":
        return [failed(failureInAnswer(isWireObject(at(fields, "error")) ? at(fields, "error") : fields))];
      default:
        return saidBy(type, fields);
    }
  }

  return {
    frame(frame: UpstreamFrame) {
      if (over || frame.data === "[DONE]") return [];
      const fields = parsedJson(frame.data);
      const wire: WireFrame = { dialect: responsesId, event: frame.event, data: frame.data };
      if (!isWireObject(fields)) {
        return [
          { ...failed(new Failure("upstream_failed", "The upstream sent something that cannot be read.")), wire },
        ];
      }
      const type = text(at(fields, "type")) || (frame.event ?? "");
      // Some servers send an error object without a type.
      const said = type === "" && isWireObject(fields.error) ? read("error", fields) : read(type, fields);
      return said.length === 0 ? [{ type: "frame", wire }] : carried(said, wire);
    },
    ended() {
      return over ? [] : [failed(new Failure("upstream_cut", "The upstream's answer broke off."))];
    },
    whole(body) {
      if (over) return [];
      const response = parsedJson(body);
      const wire: WireFrame = { dialect: responsesId, event: null, data: body };
      if (!isWireObject(response) || !Array.isArray(response.output)) {
        const error = at(response, "error");
        const failure = isWireObject(error)
          ? failureInAnswer(error)
          : new Failure("upstream_failed", "The upstream's answer is none.");
        return [{ ...failed(failure), wire }];
      }
      used = readOpenaiResponsesFrame(response, traits, used);
      if (response.status === "failed") return [{ ...failed(failureInAnswer(response.error)), wire }];
      const said = ended(response);
      // Here the end holds the answer: the events before it are for those who speak otherwise.
      return said.map((one, index) => ({ ...one, wire: index === said.length - 1 ? wire : "above" }) as ChatEvent);
    },
    used: () => used,
  };
}

/** The first event carries the frame, the others say that it has gone before them. */
function carried(said: readonly Said[], wire: WireFrame): readonly ChatEvent[] {
  return said.map((one, index) => ({ ...one, wire: index === 0 ? wire : "above" }) as ChatEvent);
}

function saying(type: "text" | "reasoning" | "refusal", piece: string): Said[] {
  return piece === "" ? [] : [{ type, text: piece }];
}

/** Parts of a summary are paragraphs. */
function between(place: unknown, piece: string): string {
  return piece !== "" && typeof place === "number" && place > 0 ? `\n\n${piece}` : piece;
}

function finishReason(response: unknown, called: boolean): FinishReason {
  const isIncomplete = at(response, "status") === "incomplete";
  const reason = at(response, "incomplete_details", "reason");
  if (reason === "content_filter") return "content-filter";
  if (isIncomplete || reason === "max_output_tokens") return "length";
  return called ? "tool-calls" : "stop";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

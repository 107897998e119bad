/** Calls written as JSON, the part that all families share: arguments alone, an object with a name, a list of those. Pure. */
import type { ToolDefinition } from "../../../domain/chat.ts";
import type { CallSink } from "./calls.ts";
import { CompactJson, type Member } from "./compact-json.ts";
import type { ReplyInput, Reading } from "./input.ts";

export type Tools = ReadonlyMap<string, ToolDefinition>;

/** Keys of an object that may still be a call; any other one says that it is none. */
const envelopeKeys: ReadonlySet<string> = new Set(["name", "arguments", "parameters", "type", "id", "function"]);
const argumentKeys: ReadonlySet<string> = new Set(["arguments", "parameters"]);

/** The arguments of a call whose name is known. False: no object stands here, and nothing has been said. */
export function* argumentsAlone(input: ReplyInput, sink: CallSink, name: string): Reading<boolean> {
  yield* input.skipSpace();
  if (!(yield* input.more()) || input.text[input.at] !== "{") return false;
  sink.begin(input, name);
  const json = new CompactJson();
  while (json.state === "more" && (yield* input.more())) {
    const sent = json.length;
    input.at = json.push(input.text, input.at);
    sink.arguments(json.slice(sent));
    if (sink.streams) settle(input, json);
  }
  if (json.state === "done") sink.end();
  return true;
}

/**
 * `{"name":…,"arguments":{…}}`, also with `parameters`, other orders, or wrapped in `function`. The arguments go out as they
 * come when the name stands before them. False: this is no call of one of `tools`, and nothing has been said.
 */
export function* envelope(input: ReplyInput, sink: CallSink, tools: Tools): Reading<boolean> {
  yield* input.skipSpace();
  if (!(yield* input.more()) || input.text[input.at] !== "{") return false;
  const json = new CompactJson();
  const streamed = yield* untilStreamed(input, sink, tools, json);
  input.bringBack();
  if (streamed === "no-call") return false;
  if (streamed !== null) {
    sink.begin(input, nameIn(json, tools) ?? "");
    yield* stream(input, sink, json, streamed);
    return true;
  }
  const call = json.state === "done" ? callIn(json, tools) : null;
  if (call === null) return false;
  sink.begin(input, call.name);
  sink.arguments(call.arguments);
  sink.end();
  return true;
}

/** Reads until the arguments can go out as they come; null: they cannot, and the object has been read to its end. */
function* untilStreamed(
  input: ReplyInput,
  sink: CallSink,
  tools: Tools,
  json: CompactJson,
): Reading<Member | "no-call" | null> {
  let judged = "";
  while (json.state === "more" && (yield* input.more())) {
    input.at = json.push(input.text, input.at);
    input.putAside();
    // What is known changes when a member or its value begins or ends, and a value that is held may be long.
    const last = json.members.at(-1);
    const known = `${json.members.length} ${last?.to === null} ${json.length > (last?.from ?? 0)}`;
    if (known === judged) continue;
    judged = known;
    if (!mayBeCall(json, tools)) return "no-call";
    const member = sink.streams ? argumentsToStream(json) : null;
    if (member !== null) return member;
  }
  return null;
}

function* stream(input: ReplyInput, sink: CallSink, json: CompactJson, member: Member): Reading {
  let sent = member.from;
  for (;;) {
    const upTo = member.to ?? json.length;
    if (sent < upTo) sink.arguments(json.slice(sent, upTo));
    if (member.to !== null && sent <= upTo) sink.end();
    sent = member.to === null ? upTo : Number.POSITIVE_INFINITY;
    settle(input, json);
    if (json.state !== "more" || !(yield* input.more())) return;
    input.at = json.push(input.text, input.at);
  }
}

/** Of a call that is on its way out, nothing that was read is kept. */
function settle(input: ReplyInput, json: CompactJson): void {
  input.drop();
  json.forget(json.length);
}

/** One envelope or a list of them. False: the first one is no call; a later one that is none stays unread. */
export function* envelopes(input: ReplyInput, sink: CallSink, tools: Tools): Reading<boolean> {
  yield* input.skipSpace();
  if (!(yield* input.accept("["))) return yield* envelope(input, sink, tools);
  if (!(yield* envelope(input, sink, tools))) return false;
  for (;;) {
    const start = input.at;
    yield* input.skipSpace();
    if (yield* input.accept("]")) return true;
    if ((yield* input.accept(",")) && (yield* envelope(input, sink, tools))) continue;
    // Nothing was settled since: what stands here is read again as text.
    input.at = start;
    return true;
  }
}

function mayBeCall(json: CompactJson, tools: Tools): boolean {
  if (json.members.some((member) => !envelopeKeys.has(member.key))) return false;
  const name = json.members.find((member) => member.key === "name");
  return name === undefined || name.to === null || nameIn(json, tools) !== null;
}

/** The name, when it has been read and belongs to a tool. */
function nameIn(json: CompactJson, tools: Tools): string | null {
  const member = json.members.find((one) => one.key === "name");
  if (member === undefined || member.to === null) return null;
  const name: unknown = JSON.parse(json.slice(member.from, member.to));
  return typeof name === "string" && tools.has(name) ? name : null;
}

function argumentsToStream(json: CompactJson): Member | null {
  const at = json.members.findIndex((member) => argumentKeys.has(member.key));
  const member = json.members[at];
  const named = json.members.findIndex((one) => one.key === "name");
  if (member === undefined || named === -1 || named > at) return null;
  return json.slice(member.from, member.from + 1) === "{" ? member : null;
}

interface WholeCall {
  readonly name: string;
  /** Compact JSON. */
  readonly arguments: string;
}

/** An object that has been read to its end, as a call. */
function callIn(json: CompactJson, tools: Tools): WholeCall | null {
  const textOfMember = (keys: ReadonlySet<string>): string | null => {
    const member = json.members.find((one) => keys.has(one.key));
    return member?.to == null ? null : json.slice(member.from, member.to);
  };
  const wrapped = textOfMember(new Set(["function"]));
  if (wrapped?.startsWith("{")) {
    const inner = new CompactJson();
    inner.push(wrapped, 0);
    return callIn(inner, tools);
  }
  const name = nameIn(json, tools);
  const given = textOfMember(argumentKeys);
  if (name === null || given === null) return null;
  if (given === "null") return { name, arguments: "{}" };
  const text = given.startsWith('"') ? compactObject(String(JSON.parse(given))) : given;
  return text?.startsWith("{") ? { name, arguments: text } : null;
}

/** Compact JSON of an object written as text, or null. */
function compactObject(text: string): string | null {
  const json = new CompactJson();
  const trimmed = text.trim();
  const end = json.push(trimmed, 0);
  const whole = json.state === "done" && end === trimmed.length && json.slice(0, 1) === "{";
  return whole ? json.slice(0) : null;
}

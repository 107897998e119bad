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
  let sent = 0;
  while (json.state === "more" && (yield* input.more())) {
    input.at = json.push(input.text, input.at);
    sink.arguments(json.out.slice(sent));
    sent = json.out.length;
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
  /** The member whose value is on its way out. */
  let streamed: Member | null = null;
  let sent = 0;
  let complete = false;
  while (json.state === "more" && (yield* input.more())) {
    input.at = json.push(input.text, input.at);
    if (streamed === null) {
      if (!mayBeCall(json, tools)) return false;
      streamed = sink.streams ? argumentsToStream(json) : null;
      if (streamed === null) continue;
      sent = streamed.from;
      sink.begin(input, nameIn(json, tools) ?? "");
    }
    if (complete) continue;
    const upTo = streamed.to ?? json.out.length;
    sink.arguments(json.out.slice(sent, upTo));
    sent = upTo;
    complete = streamed.to !== null;
    if (complete) sink.end();
  }
  if (streamed !== null) return true;
  const call = json.state === "done" ? callIn(json, tools) : null;
  if (call === null) return false;
  sink.begin(input, call.name);
  sink.arguments(call.arguments);
  sink.end();
  return true;
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
  const name: unknown = JSON.parse(json.out.slice(member.from, member.to));
  return typeof name === "string" && tools.has(name) ? name : null;
}

function argumentsToStream(json: CompactJson): Member | null {
  const at = json.members.findIndex((member) => argumentKeys.has(member.key));
  const member = json.members[at];
  const named = json.members.findIndex((one) => one.key === "name");
  if (member === undefined || named === -1 || named > at) return null;
  return json.out[member.from] === "{" ? member : null;
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
    return member?.to == null ? null : json.out.slice(member.from, member.to);
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
  return json.state === "done" && end === trimmed.length && json.out.startsWith("{") ? json.out : null;
}

/**
 * Runs recordings through the product: a real upstream on loopback → frames → the called dialect's decoder → the encoder of every
 * served dialect → what its client reads. Whole and cut, the same must come out everywhere; what does not is a difference.
 */
import { isDeepStrictEqual } from "node:util";
import type { CallFacts } from "../../../server/dialects/called.ts";
import type { Dialect } from "../../../server/dialects/dialect.ts";
import { calledDialects, type DialectId, dialects } from "../../../server/dialects/index.ts";
import { createFrameReader } from "../../../server/dialects/sse-frames.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isEnd } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings, type Usage } from "../../../server/domain/usage.ts";
import { type Recording, recordingsIn } from "./recordings.ts";
import { type Said, type SaidCall, saidInEvents, streamReaders, wholeReaders } from "./said.ts";
import { type Knobs, type ReplayUpstream, startUpstream } from "./upstream.ts";

export interface CaseReport {
  readonly case: string;
  readonly dialect: string;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly SaidCall[];
  readonly usage: Usage;
  readonly finish: string | null;
  readonly end: string;
  /** Ways the bytes came in, and served dialects they went out by. */
  readonly ways: readonly string[];
  readonly served: readonly string[];
  readonly differences: readonly string[];
}

export interface ReplayReport {
  readonly cases: readonly CaseReport[];
  readonly differences: number;
}

/** Byte by byte takes a turn of the event loop each. */
const mostBytesForSlice1 = 20_000;
/** How long a stalled stream is waited for. It is on loopback: nothing is on its way any more. */
const idleMs = 250;

const body = {
  ...{ model: "replay", max_tokens: 4_096, messages: [{ role: "user", content: "hi" }], input: "hi" },
  stream_options: { include_usage: true },
};
/** Its clients send a prompt only where it is kept at the vendor. */
const promptOf = (dialect: Dialect) => (dialect.id === "openai-responses" ? {} : { prompt: "hi" });
const facts: CallFacts = { model: "upstream", maxTokens: null, traits: {} };
const closing = { target: "cloud/replay", cost: { known: false, reason: "not_priced" } } as const;

export async function replay(folder: string): Promise<ReplayReport> {
  const recordings = recordingsIn(folder);
  const upstream = await startUpstream(recordings);
  try {
    const cases: CaseReport[] = [];
    for (const recording of recordings) cases.push(await replayCase(recording, upstream));
    return { cases, differences: cases.reduce((sum, one) => sum + one.differences.length, 0) };
  } finally {
    await upstream.stop();
  }
}

async function replayCase(recording: Recording, upstream: ReplayUpstream): Promise<CaseReport> {
  const differences: string[] = [];
  const whole = await read(recording, upstream, {});
  const said = saidInEvents(whole);
  const end = endOf(whole);
  const ways: [string, Knobs][] = [
    ["slice=3", { slice: 3 }],
    ["crlf", { crlf: true }],
    ["comments", { comments: true }],
    ["crlf,comments,slice=7", { crlf: true, comments: true, slice: 7 }],
  ];
  const bytes = recording.chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
  if (bytes < mostBytesForSlice1) ways.push(["slice=1", { slice: 1 }]);
  for (const [way, knobs] of ways) {
    const events = await read(recording, upstream, knobs);
    if (!isDeepStrictEqual(events, whole)) differences.push(`${way}: the events differ from those of the whole`);
  }
  const nodone = saidInEvents(await read(recording, upstream, { nodone: true }));
  if (!isDeepStrictEqual(nodone, said)) differences.push("nodone: another answer than with the terminator");
  differences.push(...servedDifferences(recording, whole, said, "whole"));

  const broken: [string, Knobs][] = [
    ["cut=0.5", { cut: 0.5 }],
    ["stall=0.5", { stall: 0.5 }],
  ];
  for (const [way, knobs] of broken) {
    const events = await read(recording, upstream, knobs);
    const part = saidInEvents(events);
    if (events.filter(isEnd).length !== 1) differences.push(`${way}: not exactly one end`);
    if (part.end !== "failed") differences.push(`${way}: ended as ${part.end}`);
    if (!said.text.startsWith(part.text)) differences.push(`${way}: text that the whole does not begin with`);
    differences.push(...servedDifferences(recording, events, part, way));
  }
  return {
    case: recording.name,
    dialect: recording.dialect,
    text: said.text,
    reasoning: said.reasoning ?? "",
    toolCalls: said.calls ?? [],
    usage: end.usage,
    finish: end.type === "finished" ? end.finishReason : null,
    end: end.type === "failed" ? `failed: ${end.failure.code}` : end.type,
    ways: ["whole", ...ways.map(([way]) => way), "nodone", ...broken.map(([way]) => way)],
    served: Object.keys(dialects),
    differences,
  };
}

/** As the cloud backend reads it: a connection that breaks or stands still is a failure with what was used so far. */
async function read(recording: Recording, upstream: ReplayUpstream, knobs: Knobs): Promise<readonly ChatEvent[]> {
  const request = dialects["openai-chat"].decodeChat({ ...body, stream: true });
  const decoder = calledDialects[recording.dialect].decoder(request, facts);
  const events: ChatEvent[] = [];
  const reader = createFrameReader((frame) => events.push(...decoder.frame(frame)));
  const leaving = new AbortController();
  const idle = setTimeout(() => leaving.abort(), knobs.stall === undefined ? 10_000 : idleMs);
  try {
    const response = await fetch(upstream.address(recording, knobs), { signal: leaving.signal });
    if (response.body === null) throw new Error("no body");
    for await (const chunk of response.body) {
      reader.push(chunk);
      idle.refresh();
    }
    reader.end();
    events.push(...decoder.ended());
  } catch {
    if (!events.some(isEnd)) {
      const code = leaving.signal.aborted ? "upstream_timeout" : "upstream_cut";
      const used = decoder.used();
      const failure = new Failure(code, "The upstream's answer broke off.");
      events.push({ type: "failed", failure, usage: used.usage, timings: noTimings, upstream: used });
    }
  } finally {
    clearTimeout(idle);
  }
  return events;
}

function servedDifferences(recording: Recording, events: readonly ChatEvent[], said: Said, way: string): string[] {
  const differences: string[] = [];
  for (const [id, dialect] of Object.entries(dialects) as [DialectId, Dialect][]) {
    const streamed = begin(dialect, true);
    let bytes = events.map((event) => streamed.frames(event)).join("");
    bytes += streamed.close(closing);
    const isSame = calledDialects[recording.dialect].id === id;
    const read = () => (isSame ? asItCame(streamReaders[id](bytes)) : streamReaders[id](bytes));
    differences.push(...compared(`${way} → ${id}`, said, read));
    if (said.end === "finished") {
      // Who does not stream is answered by an upstream that did not: there are no frames then.
      const one = begin(dialect, false).whole(events.flatMap(withoutWire));
      differences.push(...compared(`${way} → ${id} in one piece`, said, () => wholeReaders[id](one)));
    }
    if (id === "openai-chat" && recording.wire === "chat" && way === "whole") {
      differences.push(...frameDifferences(recording, bytes));
    }
  }
  return differences;
}

/** A call without arguments that the upstream itself wrote as nothing is handed on so to a client of its own shape. */
function asItCame(said: Said): Said {
  const calls = said.calls?.map((call) => (call.arguments === "" ? { ...call, arguments: {} } : call)) ?? null;
  return { ...said, calls };
}

function withoutWire(event: ChatEvent): ChatEvent[] {
  if (event.type === "frame") return [];
  const { wire: _, ...fact } = event;
  return [fact as ChatEvent];
}

function begin(dialect: Dialect, stream: boolean): ReturnType<Dialect["chatEncoder"]> {
  const request: ChatRequest = dialect.decodeChat({ ...body, ...promptOf(dialect), stream });
  return dialect.chatEncoder(request, { requestId: "replay", createdAtS: 1, model: request.model, fingerprint: "f" });
}

/** What a client reads beside what was said; places its shape does not have are left out. */
function compared(where: string, said: Said, read: () => Said): string[] {
  let client: Said;
  try {
    client = read();
  } catch (thrown) {
    return [`${where}: cannot be read: ${String(thrown)}`];
  }
  const differences: string[] = [];
  const check = (what: string, there: unknown, here: unknown): void => {
    if (!isDeepStrictEqual(there, here)) {
      differences.push(`${where}: ${what} is ${JSON.stringify(there)}, not ${JSON.stringify(here)}`);
    }
  };
  check("end", client.end, said.end);
  check("text", client.text, said.text);
  if (client.reasoning !== null) check("reasoning", client.reasoning, said.reasoning);
  if (said.end !== "finished") return differences;
  if (client.calls !== null) check("calls", client.calls, said.calls);
  check("usage", client.usage, said.usage);
  return differences;
}

/** To a client of the same shape every frame goes as it came, but for the model's name. */
function frameDifferences({ chunks }: Recording, bytes: string): string[] {
  const sent: string[] = [];
  const reader = createFrameReader(({ data }) => sent.push(data));
  reader.push(bytes);
  reader.end();
  const wanted = [...chunks.map((chunk) => withModel(JSON.parse(chunk))), "[DONE]"];
  const got = sent.map((data) => (data === "[DONE]" ? data : withModel(JSON.parse(data))));
  return isDeepStrictEqual(got, wanted) ? [] : ["openai-chat: the frames are not those that came"];
}

function withModel(chunk: Readonly<Record<string, unknown>>): object {
  return "model" in chunk ? { ...chunk, model: body.model } : chunk;
}

function endOf(events: readonly ChatEvent[]): EndEvent {
  const end = events.at(-1);
  if (end === undefined || !isEnd(end)) throw new Error("an answer without an end");
  return end;
}

/** What an answer says, however it is written: as events, or as the bytes a client of each served dialect reads. */
import { type ChatEvent, isEnd } from "../../../server/domain/chat.ts";
import type { DialectId } from "../../../server/dialects/index.ts";
import { createFrameReader } from "../../../server/dialects/sse-frames.ts";

export interface SaidCall {
  readonly name: string;
  /** Parsed; text where it is no JSON. */
  readonly arguments: unknown;
}

export interface Said {
  text: string;
  /** Null: this shape has no place for it. */
  reasoning: string | null;
  calls: SaidCall[] | null;
  /** Null: none came, or the shape has no place for it. */
  usage: { prompt: number; completion: number } | null;
  /** `finished` only with the shape's own terminator or closing object. */
  end: "finished" | "failed" | "open";
}

export function saidInEvents(events: readonly ChatEvent[]): Said {
  const said: Said = { text: "", reasoning: "", calls: [], usage: null, end: "open" };
  const calls: { name: string; json: string }[] = [];
  for (const event of events) {
    if (event.type === "text" || event.type === "refusal") said.text += event.text;
    else if (event.type === "reasoning") said.reasoning += event.text;
    else if (event.type === "tool-call") calls[event.index] = { name: event.name, json: "" };
    else if (event.type === "tool-arguments") {
      const call = calls[event.index];
      if (call !== undefined) call.json += event.text;
    } else if (isEnd(event)) {
      said.end = event.type === "finished" ? "finished" : "failed";
      said.usage = { prompt: event.usage.promptTokens, completion: event.usage.completionTokens };
    }
  }
  said.calls = calls.map(({ name, json }) => ({ name, arguments: parsed(json) }));
  return said;
}

// biome-ignore lint/suspicious/noExplicitAny: clients read these bytes as they are; every place is checked by what comes out.
type Wire = any;

/** Reads what a client of the dialect was sent in a stream. */
export const streamReaders: Readonly<Record<DialectId, (bytes: string) => Said>> = Object.freeze({
  "openai-chat": (bytes) => {
    const said = nothing();
    const calls = new Map<number, { name: string; json: string }>();
    for (const { data } of frames(bytes)) {
      if (data === "[DONE]") said.end = "finished";
      else readChatChunk(JSON.parse(data), said, calls);
    }
    said.calls = [...calls.values()].map(({ name, json }) => ({ name, arguments: parsed(json) }));
    return said;
  },
  "openai-completions": (bytes) => {
    const said: Said = { ...nothing(), reasoning: null, calls: null };
    for (const { data } of frames(bytes)) {
      if (data === "[DONE]") said.end = "finished";
      else readCompletion(JSON.parse(data), said);
    }
    return said;
  },
  "anthropic-messages": (bytes) => {
    const said = nothing();
    const json: string[] = [];
    const names: string[] = [];
    const usage: Record<string, number> = {};
    for (const { data } of frames(bytes)) {
      const event: Wire = JSON.parse(data);
      if (event.type === "message_stop") said.end = "finished";
      if (event.type === "error") said.end = "failed";
      if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
        names[event.index] = event.content_block.name;
        json[event.index] = "";
      }
      const { delta } = event;
      if (delta?.type === "text_delta") said.text += delta.text;
      if (delta?.type === "thinking_delta") said.reasoning += delta.thinking;
      if (delta?.type === "input_json_delta") json[event.index] += delta.partial_json;
      Object.assign(usage, counts(event.message?.usage), counts(event.usage));
    }
    said.usage = anthropicUsage(usage);
    said.calls = names.flatMap((name, at) => (name ? [{ name, arguments: parsed(json[at] || "{}") }] : []));
    return said;
  },
  "openai-responses": (bytes) => {
    let said = nothing();
    let text = "";
    let reasoning = "";
    for (const { data } of frames(bytes)) {
      const event: Wire = JSON.parse(data);
      if (event.type === "response.output_text.delta" || event.type === "response.refusal.delta") text += event.delta;
      if (/^response\.reasoning_(?:summary_)?text\.delta$/.test(event.type)) reasoning += event.delta;
      // Parts of a summary are paragraphs.
      if (event.type === "response.reasoning_summary_part.added" && event.summary_index > 0) reasoning += "\n\n";
      if (event.type === "response.completed" || event.type === "response.incomplete") {
        said = { ...readResponse(event.response), end: "finished" };
        // What was streamed is what the closing object says.
        if (said.text !== text) said.text = `${text} instead of ${said.text}`;
      }
      if (event.type === "response.failed" || event.type === "error") said.end = "failed";
    }
    return said.end === "finished" ? said : { ...said, text, reasoning };
  },
  ollama: (bytes) => readLines(bytes, (line, said) => readOllama(line, said)),
  "ollama-generate": (bytes) =>
    readLines(bytes, (line, said) => {
      said.calls = null;
      said.text += line.response ?? "";
      said.reasoning += line.thinking ?? "";
    }),
});

/** Reads an answer in one piece. */
export const wholeReaders: Readonly<Record<DialectId, (json: string) => Said>> = Object.freeze({
  "openai-chat": (json) => {
    const said = nothing();
    const body: Wire = JSON.parse(json);
    const calls = new Map<number, { name: string; json: string }>();
    readChatChunk({ ...body, choices: body.choices.map((one: Wire) => ({ ...one, delta: one.message })) }, said, calls);
    said.calls = [...calls.values()].map((call) => ({ name: call.name, arguments: parsed(call.json) }));
    return { ...said, end: "finished" };
  },
  "openai-completions": (json) => {
    const said: Said = { ...nothing(), reasoning: null, calls: null };
    readCompletion(JSON.parse(json), said);
    return { ...said, end: "finished" };
  },
  "anthropic-messages": (json) => {
    const body: Wire = JSON.parse(json);
    const said = nothing();
    for (const block of body.content) {
      said.text += block.text ?? "";
      said.reasoning += block.thinking ?? "";
      if (block.type === "tool_use") said.calls?.push({ name: block.name, arguments: block.input });
    }
    return { ...said, usage: anthropicUsage(body.usage), end: "finished" };
  },
  "openai-responses": (json) => ({ ...readResponse(JSON.parse(json)), end: "finished" }),
  ollama: (json) => readLines(json, (line, said) => readOllama(line, said)),
  "ollama-generate": (json) => streamReaders["ollama-generate"](json),
});

function nothing(): Said {
  return { text: "", reasoning: "", calls: [], usage: null, end: "open" };
}

function frames(bytes: string): { event: string | null; data: string }[] {
  const found: { event: string | null; data: string }[] = [];
  const reader = createFrameReader((frame) => found.push(frame));
  reader.push(bytes);
  reader.end();
  return found;
}

function readChatChunk(chunk: Wire, said: Said, calls: Map<number, { name: string; json: string }>): void {
  if (chunk.error) said.end = "failed";
  if (chunk.usage) said.usage = { prompt: chunk.usage.prompt_tokens, completion: chunk.usage.completion_tokens };
  const delta = chunk.choices?.[0]?.delta;
  said.text += delta?.content ?? "";
  said.text += delta?.refusal ?? "";
  said.reasoning += delta?.reasoning_content ?? delta?.reasoning ?? "";
  for (const [at, piece] of (delta?.tool_calls ?? []).entries()) {
    const index = piece.index ?? at;
    const call = calls.get(index) ?? { name: piece.function?.name ?? "", json: "" };
    call.json += piece.function?.arguments ?? "";
    calls.set(index, call);
  }
}

function readCompletion(chunk: Wire, said: Said): void {
  if (chunk.error) said.end = "failed";
  if (chunk.usage) said.usage = { prompt: chunk.usage.prompt_tokens, completion: chunk.usage.completion_tokens };
  said.text += chunk.choices?.[0]?.text ?? "";
}

function readResponse(response: Wire): Said {
  const said = nothing();
  for (const item of response.output) {
    for (const part of item.content ?? []) if (item.type === "message") said.text += part.text ?? part.refusal ?? "";
    if (item.type === "reasoning") {
      said.reasoning += (item.summary ?? []).map((part: Wire) => part.text).join("\n\n");
      for (const part of item.content ?? []) said.reasoning += part.text;
    }
    if (item.type === "function_call") said.calls?.push({ name: item.name, arguments: parsed(item.arguments) });
  }
  const { usage } = response;
  if (usage) said.usage = { prompt: usage.input_tokens, completion: usage.output_tokens };
  return said;
}

function readLines(bytes: string, read: (line: Wire, said: Said) => void): Said {
  const said = nothing();
  for (const text of bytes.split("\n").filter((line) => line !== "")) {
    const line: Wire = JSON.parse(text);
    if (line.error) said.end = "failed";
    read(line, said);
    if (line.done !== true) continue;
    said.end = "finished";
    said.usage = { prompt: line.prompt_eval_count ?? 0, completion: line.eval_count ?? 0 };
  }
  return said;
}

function readOllama(line: Wire, said: Said): void {
  said.text += line.message?.content ?? "";
  said.reasoning += line.message?.thinking ?? "";
  for (const call of line.message?.tool_calls ?? [])
    said.calls?.push({ name: call.function.name, arguments: call.function.arguments });
}

function counts(usage: Wire): Record<string, number> {
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => typeof value === "number")) as Record<
    string,
    number
  >;
}

function anthropicUsage(usage: Wire): Said["usage"] {
  if (usage?.output_tokens === undefined) return null;
  const prompt =
    (usage.input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return { prompt, completion: usage.output_tokens };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

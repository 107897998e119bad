/**
 * Scripted models: what answers in place of the engine, event by event. Each is a function of the request and of how many came before it.
 * The tool-calling one plays a coding agent's model: it writes `hello.txt` with whatever tool it is given for that, then says so.
 */
import type { ChatEvent, ChatRequest, ToolDefinition } from "../../server/domain/chat.ts";
import { textOf } from "../../server/domain/chat.ts";
import type { Failure } from "../../server/domain/failure.ts";
import { noTimings, type Usage } from "../../server/domain/usage.ts";

export interface Call {
  /** 1 for the first request since this script began. */
  readonly number: number;
  readonly signal: AbortSignal;
  /** `call_` and something no other call has. */
  readonly toolCallId: string;
}

export type Script = (request: ChatRequest, call: Call) => AsyncIterable<ChatEvent>;

/** Text in pieces that a careless reader would break: a pictograph of two code units, an accent, a newline. */
export const sentence = "The lamp is lit 🏮.\nCafé, naïve, “quotes” and a \\ backslash.";

function usageOf(request: ChatRequest, completionTokens: number): Usage {
  const characters = request.messages.reduce((sum, message) => sum + textOf(message.content).length, 0);
  const promptTokens = Math.ceil(characters / 4) + 8;
  return { promptTokens, cachedTokens: Math.floor(promptTokens / 2), completionTokens, reasoningTokens: 0 };
}

function* opening(request: ChatRequest): Iterable<ChatEvent> {
  const { promptTokens, cachedTokens } = usageOf(request, 0);
  yield { type: "accepted", promptTokens, queuePosition: 1 };
  yield { type: "started", promptTokens, cachedTokens };
}

/** By words, so that every stream has many pieces. */
function pieces(text: string): readonly string[] {
  return text.split(/(?<= )/);
}

export function says(text: string): Script {
  return async function* (request) {
    yield* opening(request);
    for (const piece of pieces(text)) yield { type: "text", text: piece };
    yield {
      type: "finished",
      finishReason: "stop",
      usage: usageOf(request, pieces(text).length),
      timings: noTimings,
    };
  };
}

/** The arguments leave in pieces, as a model writes them. */
export function callsTool(name: string, value: object): Script {
  return async function* (request, { toolCallId }) {
    yield* opening(request);
    yield { type: "tool-call", index: 0, id: toolCallId, name };
    for (const piece of JSON.stringify(value).match(/.{1,7}/gsu) ?? []) {
      yield { type: "tool-arguments", index: 0, text: piece };
    }
    yield { type: "finished", finishReason: "tool-calls", usage: usageOf(request, 12), timings: noTimings };
  };
}

/** Before the first event. */
export function refuses(failure: Failure): Script {
  // biome-ignore lint/correctness/useYield: a refusal has no events.
  return async function* () {
    throw failure;
  };
}

/** Half an answer, then a failure inside the stream. */
export function breaksWith(failure: Failure): Script {
  return async function* (request) {
    yield* opening(request);
    yield { type: "text", text: "half of " };
    yield { type: "failed", failure, usage: usageOf(request, 1), timings: noTimings };
  };
}

/** One piece of text, then nothing until the client leaves. */
export const waitsForever: Script = async function* (request, { signal }) {
  yield* opening(request);
  yield { type: "text", text: "tick " };
  await aborted(signal, null);
  yield { type: "aborted", usage: usageOf(request, 1), timings: noTimings };
};

/** A cold model: nothing at all for `silentMs`, then `then`. */
export function afterSilence(silentMs: number, then: Script): Script {
  return async function* (request, call) {
    if (await aborted(call.signal, silentMs)) {
      yield { type: "aborted", usage: usageOf(request, 0), timings: noTimings };
      return;
    }
    yield* then(request, call);
  };
}

/** The first request gets the first script, and so on; the last one stays. */
export function oneAfterAnother(...scripts: readonly Script[]): Script {
  return (request, call) => {
    const script = scripts[Math.min(call.number, scripts.length) - 1];
    if (script === undefined) throw new Error("no script at all");
    return script(request, call);
  };
}

/** True once the signal aborts, false when `limitMs` passed first. */
function aborted(signal: AbortSignal, limitMs: number | null): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(true);
    const timer = limitMs === null ? null : setTimeout(() => resolve(false), limitMs);
    signal.addEventListener(
      "abort",
      () => {
        if (timer !== null) clearTimeout(timer);
        resolve(true);
      },
      { once: true },
    );
  });
}

/** Sent to every agent. Requests that do not come from it (titles, memory) are answered with a few words. */
export const agentPrompt = "Create the file hello.txt containing exactly hi (no newline), then say done.";
export const fileContent = "hi";

/** Plays a model that does what `agentPrompt` says, in the folder the agent works in. */
export function writesTheFile(path: string): Script {
  return (request, call) => {
    const lastUser = request.messages.findLastIndex((message) => message.role === "user");
    const wanted = textOf(request.messages[lastUser]?.content ?? []).includes("hello.txt");
    const written = request.messages.slice(lastUser + 1).some((message) => message.role === "tool");
    const tool = wanted && !written ? writingCall(request.tools, path) : null;
    if (tool !== null) return callsTool(tool.name, tool.value)(request, call);
    return says(request.tools.length === 0 ? "A short note" : "done")(request, call);
  };
}

/** The tool for writing a file and its arguments in the order of its schema; a shell where there is none. */
export function writingCall(
  tools: readonly ToolDefinition[],
  path: string,
): { readonly name: string; readonly value: object } | null {
  for (const tool of tools) {
    const names = propertiesOf(tool);
    const pathName = names.find((name) => /path|^file$/i.test(name));
    const contentName = names.find((name) => /^(content|contents|text)$/i.test(name));
    if (!/write|create/i.test(tool.name) || pathName === undefined || contentName === undefined) continue;
    const kept = names.filter((name) => name === pathName || name === contentName);
    return {
      name: tool.name,
      value: Object.fromEntries(kept.map((name) => [name, name === pathName ? path : fileContent])),
    };
  }
  for (const tool of tools) {
    const name = propertiesOf(tool).find((one) => one === "command" || one === "cmd");
    if (name !== undefined) return { name: tool.name, value: { [name]: `printf hi > '${path}'` } };
  }
  return null;
}

function propertiesOf(tool: ToolDefinition): readonly string[] {
  const properties = tool.parameters?.properties;
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

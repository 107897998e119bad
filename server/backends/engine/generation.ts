/**
 * One answer to one prepared prompt: its turn in the line, a slot, the worker's events as the product's. Runs in the server
 * process.
 */
import type { ChatEvent, ChatRequest, EndEvent } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import { noUsage, type Usage } from "../../domain/usage.ts";
import type { ChatContext } from "../backend.ts";
import { abortable } from "./abortable.ts";
import { EventQueue } from "./event-queue.ts";
import { ForcedToolCall } from "./forced-tool-call.ts";
import type { ModelHost } from "./model-host.ts";
import type { PreparedPrompt } from "./preparation/prompts.ts";
import { packTokens } from "./preparation/protocol.ts";
import { forcesToolCall, generateOptions } from "./prompt-input.ts";
import type { StepEvent } from "./protocol.ts";
import type { Times } from "./times.ts";
import type { WorkerLink } from "./worker-link.ts";

export interface GenerationPorts {
  readonly clock: Clock;
  /** `call_` and random characters, unique over all requests. */
  readonly newToolCallId: () => string;
}

export interface GenerationWish {
  readonly host: ModelHost;
  readonly request: ChatRequest;
  /** What the answer must follow; null: nothing. */
  readonly gbnf: string | null;
  /** Its request id names this answer to the worker. */
  readonly context: ChatContext;
  readonly prompt: PreparedPrompt;
  /** 0, or which of several. */
  readonly choice: number;
  /** What the request has spent so far. */
  readonly times: Times;
}

/** A slot of a worker. */
interface Turn {
  readonly link: WorkerLink;
  readonly giveBack: () => void;
}

/** Ends with exactly one end event. Throws a Failure only before the first event. */
export async function* generation(
  wish: GenerationWish,
  signal: AbortSignal,
  ports: GenerationPorts,
): AsyncIterable<ChatEvent> {
  const times = wish.times.fork();
  let turn: Turn;
  try {
    turn = await takeTurn(wish, times, signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    yield { type: "aborted", usage: noUsage, timings: times.known() };
    return;
  }
  if (wish.prompt.echo !== null) yield { type: "text", text: wish.prompt.echo };
  yield* generated(turn, wish, times, signal, ports);
}

/** A worker that died while we waited has lost nothing of ours: the next one computes the same tokens. */
async function takeTurn({ host, context }: GenerationWish, times: Times, signal: AbortSignal): Promise<Turn> {
  for (;;) {
    const link = await abortable(host.ready(), signal);
    times.mark("loadMs");
    const giveBack = await host.line.enter(context.callerName, signal);
    times.mark("queueMs");
    if (link.alive) return { link, giveBack };
    giveBack();
  }
}

async function* generated(
  turn: Turn,
  { host, request, gbnf, context, prompt }: GenerationWish,
  times: Times,
  signal: AbortSignal,
  ports: GenerationPorts,
): AsyncIterable<ChatEvent> {
  const { link } = turn;
  const promptTokens = prompt.tokens.length;
  const queue = new EventQueue<StepEvent>(joinText);
  const wish = {
    tokens: packTokens(prompt.tokens),
    caller: context.callerName,
    session: context.session ?? request.cacheKey,
    side: request.tools.length === 0,
    options: generateOptions(request, host.contextLength - promptTokens, gbnf),
  };
  // The slot is given back when the worker says that the answer ended, not when the reader has read it.
  link.generate(context.requestId, wish, (event) => {
    if (event.type === "done" || event.type === "cancelled" || event.type === "failed") turn.giveBack();
    queue.push(event);
  });
  const cancel = () => link.cancel(context.requestId);
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  const call = forcesToolCall(request) ? new ForcedToolCall(ports.newToolCallId) : null;
  let ended = false;
  /** What we know of the usage if the process dies without saying. */
  const seen = { promptTokens, cachedTokens: 0, completionTokens: 0 };
  try {
    while (!ended) {
      const event = await queue.next();
      switch (event.type) {
        case "started":
          seen.cachedTokens = event.cachedTokens;
          yield { type: "started", promptTokens, cachedTokens: event.cachedTokens };
          break;
        case "text":
          seen.completionTokens = event.tokens;
          if (call === null) yield { type: "text", text: event.text, ...logprobsOf(event) };
          else yield* call.push(event.text);
          break;
        default:
          ended = true;
          yield endEvent(event, seen, call, times);
      }
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    // The reader left without aborting: nobody wants the rest.
    if (!ended) cancel();
  }
}

function endEvent(
  event: Extract<StepEvent, { type: "done" | "cancelled" | "failed" }>,
  seen: Pick<Usage, "promptTokens" | "cachedTokens" | "completionTokens">,
  call: ForcedToolCall | null,
  times: Times,
): EndEvent {
  const usage = {
    promptTokens: seen.promptTokens,
    cachedTokens: Math.max(event.cachedTokens, seen.cachedTokens),
    completionTokens: Math.max(event.completionTokens, seen.completionTokens),
    reasoningTokens: 0,
  };
  const timings = { ...times.known(), prefillMs: event.prefillMs, decodeMs: event.decodeMs };
  if (event.type === "cancelled") return { type: "aborted", usage, timings };
  if (event.type === "failed") {
    return { type: "failed", failure: new Failure(event.code, event.message), usage, timings };
  }
  const finishReason = call?.complete ? "tool-calls" : event.finishReason;
  return { type: "finished", finishReason, usage, timings };
}

type TextEvent = Extract<StepEvent, { type: "text" }>;

function logprobsOf(event: TextEvent): Pick<TextEvent, "logprobs"> {
  return event.logprobs === undefined ? {} : { logprobs: event.logprobs };
}

function joinText(left: StepEvent, right: StepEvent): StepEvent | null {
  if (left.type !== "text" || right.type !== "text") return null;
  const joined = { ...right, text: left.text + right.text };
  if (left.logprobs === undefined) return joined;
  return { ...joined, logprobs: [...left.logprobs, ...(right.logprobs ?? [])] };
}

/**
 * One chat request from acceptance to its last event: ready → prepare → turn → generate. Runs in the server process.
 */
import type { ChatEvent, ChatRequest, EndEvent } from "../../domain/chat.ts";
import { asFailure, Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import { noUsage, type Timings, type Usage } from "../../domain/usage.ts";
import type { ChatContext } from "../backend.ts";
import { EventQueue } from "./event-queue.ts";
import type { ModelHost } from "./model-host.ts";
import { generateOptions, promptInput } from "./prompt-input.ts";
import type { StepEvent } from "./protocol.ts";
import { ReplyReader } from "./reply/reply-reader.ts";
import type { WorkerLink } from "./worker-link.ts";

export interface AnswerPorts {
  readonly clock: Clock;
  /** `call_` and random characters, unique over all requests. */
  readonly newToolCallId: () => string;
}

/** A slot of a worker that has this request's prompt. */
interface Turn {
  readonly link: WorkerLink;
  readonly promptTokens: number;
  readonly giveBack: () => void;
}

export async function* answer(
  host: ModelHost,
  request: ChatRequest,
  context: ChatContext,
  signal: AbortSignal,
  ports: AnswerPorts,
): AsyncIterable<ChatEvent> {
  const times = new Times(ports.clock);
  host.line.checkRoom();
  let turn: Turn | null = null;
  /** The worker that keeps our prepared prompt and has not been told what to do with it. */
  let keeper: WorkerLink | null = null;
  let accepted = false;
  try {
    while (turn === null) {
      const link: WorkerLink = await abortable(host.ready(), signal);
      times.mark("loadMs");
      keeper = link;
      const promptTokens = await abortable(link.prepare(context.requestId, promptInput(request)), signal).catch(
        (thrown: unknown) => {
          // Died while it only prepared: nothing of this request was lost, the next process prepares it again.
          if (asFailure(thrown).code === "worker_died" && !signal.aborted) return null;
          throw thrown;
        },
      );
      if (promptTokens === null) continue;
      if (promptTokens >= host.contextLength) throw overflow(host, promptTokens);
      if (!accepted) yield { type: "accepted", promptTokens, queuePosition: host.line.nextPosition };
      accepted = true;
      const giveBack = await host.line.enter(context.callerName, signal);
      times.mark("queueMs");
      if (link.alive) turn = { link, promptTokens, giveBack };
      else giveBack();
    }
    keeper = null;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    yield { type: "aborted", usage: noUsage, timings: times.known() };
    return;
  } finally {
    keeper?.drop(context.requestId);
  }
  yield* generated(turn, host, request, context, signal, times, ports);
}

async function* generated(
  turn: Turn,
  host: ModelHost,
  request: ChatRequest,
  context: ChatContext,
  signal: AbortSignal,
  times: Times,
  ports: AnswerPorts,
): AsyncIterable<ChatEvent> {
  const { link, promptTokens } = turn;
  const queue = new EventQueue<StepEvent>(joinText);
  const options = generateOptions(request, host.contextLength - promptTokens, host.replyFormat);
  // The slot is given back when the worker says that the answer ended, not when the reader has read it.
  link.generate(context.requestId, context.callerName, options, (event) => {
    if (event.type === "done" || event.type === "cancelled" || event.type === "failed") turn.giveBack();
    queue.push(event);
  });
  const cancel = () => link.cancel(context.requestId);
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  const readerOf = (promptEnd: string) =>
    new ReplyReader({ request, format: host.replyFormat, promptEnd, newToolCallId: ports.newToolCallId });
  let reply = readerOf("");
  let ended = false;
  /** What we know of the usage if the process dies without saying. */
  const seen = { promptTokens, cachedTokens: 0, completionTokens: 0 };
  try {
    while (!ended) {
      const event = await queue.next();
      switch (event.type) {
        case "started":
          seen.cachedTokens = event.cachedTokens;
          reply = readerOf(event.promptEnd);
          yield { type: "started", promptTokens, cachedTokens: event.cachedTokens };
          break;
        case "text":
          seen.completionTokens = event.tokens;
          yield* reply.push(event.text, event.tokens);
          if (reply.satisfied) cancel();
          break;
        default:
          ended = true;
          yield* reply.end();
          yield endEvent(event, seen, reply, signal, times);
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
  reply: ReplyReader,
  signal: AbortSignal,
  times: Times,
): EndEvent {
  const usage = {
    promptTokens: seen.promptTokens,
    cachedTokens: Math.max(event.cachedTokens, seen.cachedTokens),
    completionTokens: Math.max(event.completionTokens, seen.completionTokens),
    reasoningTokens: reply.reasoningTokens,
  };
  const timings = { ...times.known(), prefillMs: event.prefillMs, decodeMs: event.decodeMs };
  if (event.type === "cancelled") {
    if (signal.aborted || !reply.satisfied) return { type: "aborted", usage, timings };
    // We ended it ourselves, behind the one call that was wanted.
    return { type: "finished", finishReason: "tool-calls", usage, timings };
  }
  if (event.type === "failed") {
    return { type: "failed", failure: new Failure(event.code, event.message), usage, timings };
  }
  return { type: "finished", finishReason: reply.finishReason(event.finishReason), usage, timings };
}

function joinText(left: StepEvent, right: StepEvent): StepEvent | null {
  if (left.type !== "text" || right.type !== "text") return null;
  return { ...right, text: left.text + right.text };
}

function overflow(host: ModelHost, promptTokens: number): Failure {
  const { alias } = host.file;
  return new Failure(
    "context_length_exceeded",
    `maximum context length is ${host.contextLength} tokens for "${alias}"; this prompt has ${promptTokens}. ` +
      "Shorten it, or serve the model with a longer context.",
    { param: "messages" },
  );
}

/** Where the time before the first token went: each mark ends the part that began with the one before it. */
class Times {
  readonly #clock: Clock;
  #lastMs: number;
  readonly #parts = { loadMs: 0, queueMs: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  mark(part: "loadMs" | "queueMs"): void {
    const nowMs = this.#clock.monotonicMs();
    this.#parts[part] += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
  }

  known(): Timings {
    const { loadMs, queueMs } = this.#parts;
    return { loadMs: Math.round(loadMs), queueMs: Math.round(queueMs), prefillMs: 0, decodeMs: 0 };
  }
}

/** The promise, or the signal's reason, whichever comes first. */
function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

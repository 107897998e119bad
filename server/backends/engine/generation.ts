/**
 * One answer to one prepared prompt: its turn in the line, a slot, the worker's events as the product's. Runs in the server
 * process.
 */
import { sharedGroup } from "../../domain/caller.ts";
import type { ChatEvent, ChatRequest, ChosenLogprob, EndEvent } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import { noUsage, type Usage } from "../../domain/usage.ts";
import type { ChatContext } from "../backend.ts";
import { abortable } from "./abortable.ts";
import { EventQueue } from "./event-queue.ts";
import type { ModelHost } from "./model-host.ts";
import type { PreparedPrompt } from "./preparation/prompts.ts";
import { packTokens } from "./preparation/protocol.ts";
import { generateOptions } from "./prompt-input.ts";
import type { StepEvent } from "./protocol.ts";
import { plainReply, type Reply, withLogprobs } from "./reply/reply.ts";
import { replyFamilies } from "./reply/index.ts";
import { ReplyReader } from "./reply/reply-reader.ts";
import type { Times } from "./times.ts";
import type { HeldSlot, Place } from "./waiting-line.ts";
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
  /** The request's place in the line; all its answers go through it. */
  readonly place: Place;
  /** What the request has spent so far. */
  readonly times: Times;
  /** Called once the worker is done with this answer. */
  readonly onComputed: () => void;
}

/** A slot of a worker. */
interface Turn {
  readonly link: WorkerLink;
  readonly slot: HeldSlot;
}

/** Who takes turns, and what people see of them. */
export function callerOf(context: ChatContext): { readonly caller: string; readonly name: string } {
  return { caller: context.callerId ?? context.callerName, name: context.callerName };
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
async function takeTurn({ host, place, prompt }: GenerationWish, times: Times, signal: AbortSignal): Promise<Turn> {
  for (;;) {
    const link = await abortable(host.ready(), signal);
    times.mark("loadMs");
    const slot = await place.enter(prompt.tokens.length, signal);
    times.mark("queueMs");
    if (link.alive) return { link, slot };
    // Nothing was computed in it.
    slot.cost(0);
    slot.giveBack();
  }
}

async function* generated(
  turn: Turn,
  { host, request, gbnf, context, prompt, onComputed }: GenerationWish,
  times: Times,
  signal: AbortSignal,
  ports: GenerationPorts,
): AsyncIterable<ChatEvent> {
  const { link, slot } = turn;
  const promptTokens = prompt.tokens.length;
  const queue = new EventQueue<StepEvent>(joinText);
  const wish = {
    tokens: packTokens(prompt.tokens),
    caller: context.callerName,
    callerId: callerOf(context).caller,
    session: context.session ?? request.cacheKey,
    side: request.tools.length === 0,
    group: context.sharingGroup ?? sharedGroup,
    options: generateOptions(request, host.contextLength - promptTokens, gbnf, markersOf(request, host)),
  };
  // The slot is given back when the worker says that the answer ended, not when the reader has read it.
  const account = accountOf(slot, promptTokens);
  link.generate(context.requestId, wish, (event) => {
    account(event);
    if (event.type === "done" || event.type === "cancelled" || event.type === "failed") onComputed();
    queue.push(event);
  });
  const cancel = () => link.cancel(context.requestId);
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  const readerOf = (promptEnd: string): Reply =>
    request.completion !== null
      ? plainReply
      : new ReplyReader({ request, format: host.replyFormat, promptEnd, newToolCallId: ports.newToolCallId });
  let reply = readerOf("");
  const besides: ChosenLogprob[] = [];
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
          yield* withLogprobs(reply.push(event.text, event.tokens), event.logprobs, besides);
          if (reply.satisfied) cancel();
          break;
        default:
          ended = true;
          yield* withLogprobs(reply.end(), undefined, besides);
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
  reply: Reply,
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
  const finishReason = reply.finishReason(event.finishReason);
  const { stopSequence } = event;
  const stopped = finishReason === "stop" && stopSequence !== undefined ? { stopSequence } : {};
  return { type: "finished", finishReason, ...stopped, usage, timings };
}

/** Tells the line what a request has cost so far, and when its slot is free. */
function accountOf(slot: HeldSlot, promptTokens: number): (event: StepEvent) => void {
  let toPrefill = promptTokens;
  return (event) => {
    if (event.type === "started") {
      toPrefill -= event.cachedTokens;
      slot.cost(toPrefill);
    } else if (event.type === "text") {
      slot.cost(toPrefill + event.tokens);
    } else {
      slot.cost(event.prefilledTokens + event.completionTokens);
      slot.giveBack();
    }
  };
}

/** A completion's reader sees what its client sees: nothing but text. */
function markersOf(request: ChatRequest, host: ModelHost): readonly string[] {
  return request.completion === null ? replyFamilies[host.replyFormat].markers : [];
}

function joinText(left: StepEvent, right: StepEvent): StepEvent | null {
  if (left.type !== "text" || right.type !== "text") return null;
  const joined = { ...right, text: left.text + right.text };
  if (left.logprobs === undefined) return joined;
  return { ...joined, logprobs: [...left.logprobs, ...(right.logprobs ?? [])] };
}

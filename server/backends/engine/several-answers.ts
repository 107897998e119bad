/**
 * Several answers to one request (`n`, lists of prompts) as one stream. Runs in the server process. They are computed beside
 * each other as far as the model has slots, and share what their prompts have in common, as any requests do.
 */
import { type ChatEvent, type EndEvent, isEnd } from "../../domain/chat.ts";
import { asFailure } from "../../domain/failure.ts";
import { noTimings, noUsage, type Timings, type Usage } from "../../domain/usage.ts";
import { EventQueue } from "./event-queue.ts";
import { type GenerationPorts, type GenerationWish, generation } from "./generation.ts";

interface Ended {
  readonly choice: number;
  readonly end: EndEvent;
}

/** `perPrompt` neighbours in `wishes` have the same prompt. At most `width` are under way: one request is not a crowd. */
export async function* severalAnswers(
  wishes: readonly GenerationWish[],
  perPrompt: number,
  width: number,
  signal: AbortSignal,
  ports: GenerationPorts,
): AsyncIterable<ChatEvent> {
  const stop = new AbortController();
  const own = AbortSignal.any([signal, stop.signal]);
  const queue = new EventQueue<ChatEvent | Ended>(joinText);
  const waiting = [...wishes];

  async function run(wish: GenerationWish): Promise<void> {
    const { choice } = wish;
    let end: EndEvent = { type: "aborted", usage: noUsage, timings: noTimings };
    try {
      for await (const event of generation(wish, own, ports)) {
        if (isEnd(event)) end = event;
        else queue.push(event.type === "accepted" || event.type === "started" ? event : { ...event, choice });
      }
    } catch (thrown) {
      end = { type: "failed", failure: asFailure(thrown), usage: noUsage, timings: noTimings };
    }
    queue.push({ choice, end });
  }
  const startNext = () => {
    const next = waiting.shift();
    if (next !== undefined) void run(next);
  };

  const ends = new Map<number, EndEvent>();
  /** The first end that was no finish decides how the whole request ends. */
  let spoiled: EndEvent | null = null;
  try {
    for (let running = 0; running < width; running += 1) startNext();
    while (ends.size < wishes.length) {
      const event = await queue.next();
      if ("type" in event) {
        if (spoiled === null) yield event;
        continue;
      }
      const { choice, end } = event;
      ends.set(choice, end);
      if (end.type === "finished") {
        if (spoiled === null) yield { type: "choice-finished", choice, finishReason: end.finishReason };
      } else if (spoiled === null) {
        spoiled = end;
        stop.abort();
      }
      startNext();
    }
  } finally {
    stop.abort();
  }
  const all = wishes.map(({ choice }) => ends.get(choice)).filter((end) => end !== undefined);
  const sums = { usage: usageOf(all, perPrompt), timings: longest(all) };
  if (spoiled !== null) yield { ...spoiled, ...sums };
  else yield { type: "finished", finishReason: finishOf(all), ...sums };
}

/** A prompt counts once however often it is answered; what its first answer found cached is what was saved. */
function usageOf(ends: readonly EndEvent[], perPrompt: number): Usage {
  const sum = { ...noUsage };
  for (let first = 0; first < ends.length; first += perPrompt) {
    const same = ends.slice(first, first + perPrompt).map((end) => end.usage);
    const computed = same.filter((usage) => usage.promptTokens > 0);
    sum.promptTokens += Math.max(0, ...same.map((usage) => usage.promptTokens));
    sum.cachedTokens += computed.length === 0 ? 0 : Math.min(...computed.map((usage) => usage.cachedTokens));
    for (const usage of same) {
      sum.completionTokens += usage.completionTokens;
      sum.reasoningTokens += usage.reasoningTokens;
    }
  }
  return sum;
}

/** They ran beside each other, so the one that took longest says where the time went. */
function longest(ends: readonly EndEvent[]): Timings {
  const total = ({ queueMs, loadMs, prefillMs, decodeMs }: Timings) => queueMs + loadMs + prefillMs + decodeMs;
  return ends.reduce((most, { timings }) => (total(timings) > total(most) ? timings : most), noTimings);
}

function finishOf(ends: readonly EndEvent[]) {
  const [first] = ends;
  return first?.type === "finished" ? first.finishReason : "stop";
}

function joinText(left: ChatEvent | Ended, right: ChatEvent | Ended): ChatEvent | null {
  if (!("type" in left) || !("type" in right)) return null;
  if (left.type !== "text" || right.type !== "text" || left.choice !== right.choice) return null;
  if (left.logprobs !== undefined || right.logprobs !== undefined) return null;
  return { ...right, text: left.text + right.text };
}

/** Gives an answer that was held back to the client, as if it came now. Server process. */
import type { ChatEvent, ChatRequest, EndEvent } from "../../domain/chat.ts";
import { noTimings, noUsage } from "../../domain/usage.ts";
import type { Hidden } from "./mode.ts";

/** Frames were of a request that is not the client's; log-probabilities go along only where it asked for them. */
export function* replay({ events, end }: Hidden, { logprobs }: ChatRequest): Generator<ChatEvent> {
  for (const event of events) {
    if (event.type === "frame") continue;
    const { wire: _wire, ...own } = event;
    if (own.type !== "text" || logprobs !== null) yield own;
    else {
      const { logprobs: _logprobs, ...text } = own;
      yield text;
    }
  }
  const { wire: _wire, ...last } = end;
  yield last;
}

export const aborted: EndEvent = Object.freeze({ type: "aborted", usage: noUsage, timings: noTimings });

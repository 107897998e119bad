/** Answers for tests of a route's modes: words with log-probabilities, verdicts, calls. */
import type { ChatEvent } from "../../server/domain/chat.ts";
import { noTimings } from "../../server/domain/usage.ts";
import { finished, someUsage } from "./scripted-backend.ts";

/** One token per word, each as likely as said. */
export function sure(text: string, probability: number): readonly ChatEvent[] {
  const words = text.split(/(?<= )/u).map((word): ChatEvent => {
    const token = { text: word, bytes: [...Buffer.from(word)], logprob: Math.log(probability) };
    const wire = { dialect: "openai-chat", event: null, data: '{"a":"frame"}' };
    return { type: "text", text: word, logprobs: [{ ...token, top: [] }], wire };
  });
  return [...words, finished];
}

export function saying(text: string): readonly ChatEvent[] {
  return [{ type: "text", text }, finished];
}

export function verdict(yes: boolean): readonly ChatEvent[] {
  return saying(JSON.stringify({ yes }));
}

export const cut: ChatEvent = { type: "finished", finishReason: "length", usage: someUsage, timings: noTimings };

export function calling(name: string, json: string): readonly ChatEvent[] {
  return [
    { type: "tool-call", index: 0, id: "c1", name },
    { type: "tool-arguments", index: 0, text: json },
    { type: "finished", finishReason: "tool-calls", usage: someUsage, timings: noTimings },
  ];
}

/** What a client reads. */
export function read(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** A chat request with everything at its default, for tests that care about one field of it. */
import type { ChatEvent, ChatRequest, EndEvent } from "../../server/domain/chat.ts";
import { isEnd } from "../../server/domain/chat.ts";
import { noSamplingWishes, plainRequest } from "../../server/domain/plain-request.ts";

export function chatRequest(text: string, wishes: Partial<ChatRequest> = {}): ChatRequest {
  return {
    ...plainRequest("lanthorn-demo", text, 0),
    sampling: { ...noSamplingWishes, temperature: 0 },
    maxTokens: null,
    stream: true,
    ...wishes,
  };
}

export interface Collected {
  readonly events: readonly ChatEvent[];
  readonly text: string;
  readonly end: EndEvent;
}

/** Reads an answer to its end. Fails when it has none, or more than one. */
export async function collect(answer: AsyncIterable<ChatEvent>): Promise<Collected> {
  const events: ChatEvent[] = [];
  for await (const event of answer) events.push(event);
  const ends = events.filter(isEnd);
  const [end] = ends;
  if (end === undefined || ends.length !== 1 || events.at(-1) !== end)
    throw new Error("an answer has exactly one end, last");
  const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { events, text, end };
}

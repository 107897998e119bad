/** A chat request with everything at its default, for tests that care about one field of it. */
import type { ChatEvent, ChatRequest, EndEvent } from "../../server/domain/chat.ts";
import { isEnd } from "../../server/domain/chat.ts";

export function chatRequest(text: string, wishes: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: "lanthorn-demo",
    messages: [{ role: "user", content: [{ type: "text", text }] }],
    completion: null,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    responseFormat: { type: "text" },
    sampling: {
      temperature: 0,
      topP: null,
      topK: null,
      minP: null,
      seed: null,
      frequencyPenalty: null,
      presencePenalty: null,
      repeatPenalty: null,
      logitBias: new Map(),
    },
    maxTokens: null,
    choices: 1,
    logprobs: null,
    stop: [],
    ignoreEos: false,
    cachePrompt: true,
    cacheKey: null,
    stream: true,
    includeUsage: false,
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

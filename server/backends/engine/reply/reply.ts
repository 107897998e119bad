/**
 * What reads an answer's text, whoever it is: the family's reader for a chat, nobody for a completion. Runs in the server
 * process.
 */
import type { ChatEvent, ChosenLogprob } from "../../../domain/chat.ts";
import type { ReplyReader } from "./reply-reader.ts";

export type Reply = Pick<ReplyReader, "push" | "end" | "satisfied" | "reasoningTokens" | "finishReason">;

/** Text is text, whatever it looks like. */
export const plainReply: Reply = Object.freeze({
  push: (text: string): ChatEvent[] => [{ type: "text", text }],
  end: (): ChatEvent[] => [],
  satisfied: false,
  reasoningTokens: 0,
  finishReason: (ended) => ended,
} satisfies Reply);

/**
 * Puts log-probabilities beside the next text that leaves; they wait in `waiting` while the reader holds text back. Those of
 * reasoning and calls are dropped: clients have no place for them.
 */
export function withLogprobs(
  events: readonly ChatEvent[],
  found: readonly ChosenLogprob[] | undefined,
  waiting: ChosenLogprob[],
): readonly ChatEvent[] {
  if (found === undefined && waiting.length === 0) return events;
  waiting.push(...(found ?? []));
  if (events.length > 0 && events.every((event) => event.type !== "text")) waiting.length = 0;
  let given = false;
  return events.map((event) => {
    if (event.type !== "text" || given) return event;
    given = true;
    return { ...event, logprobs: waiting.splice(0) };
  });
}

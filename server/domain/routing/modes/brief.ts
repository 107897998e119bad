/** Which part of a conversation is condensed, and how it looks afterwards. Pure. */
import type { ChatMessage, ChatRequest } from "../../chat.ts";

export interface Split {
  /** Stay in front as they are. */
  readonly system: readonly ChatMessage[];
  readonly older: readonly ChatMessage[];
  /** From the user's turn on that is the first to stay. */
  readonly kept: readonly ChatMessage[];
}

/** Null: nothing may be condensed. System messages, tools and the last turns of the user never are. */
export function splitForBrief({ messages, completion }: ChatRequest, keepTurns: number): Split | null {
  if (completion !== null) return null;
  const talk = messages.filter(({ role }) => role !== "system");
  const turns = talk.flatMap(({ role }, index) => (role === "user" ? [index] : []));
  const from = turns.at(-keepTurns);
  // A call and its answer stand between two turns of the user, so they stay together.
  if (from === undefined || from === 0 || turns.length < keepTurns) return null;
  return {
    system: messages.filter(({ role }) => role === "system"),
    older: talk.slice(0, from),
    kept: talk.slice(from),
  };
}

/** The condensed part stands before the words of the first turn that stays: two turns of one side in a row confuse models. */
export function withBrief(request: ChatRequest, { system, kept }: Split, brief: string): ChatRequest {
  const { wire: _wire, ...rest } = request;
  const [first, ...others] = kept;
  const words = `What was said before, in short:\n${brief}\n\nNow:\n`;
  const opening: readonly ChatMessage[] =
    first?.role === "user" ? [{ ...first, content: [{ type: "text", text: words }, ...first.content] }] : [];
  return { ...rest, messages: [...system, ...opening, ...others] };
}

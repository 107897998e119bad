/**
 * Ids for tool calls of upstreams that give none. Pure; shared by the shapes we call; imports the domain only.
 *
 * Made from the conversation and not from chance, so that one answer gives the same ids however its bytes were cut. None is an
 * id that the conversation has used already: results are joined to calls by it.
 */
import type { ChatRequest } from "../domain/chat.ts";

/** Each call of the answer to this request gets the next one. */
export function callIdMaker(request: Pick<ChatRequest, "messages">): () => string {
  const used = new Set<string>();
  for (const message of request.messages) {
    if (message.role === "assistant") for (const call of message.toolCalls) used.add(call.id);
  }
  let next = 0;
  return () => {
    let id: string;
    do {
      id = `call_${request.messages.length}_${next}`;
      next += 1;
    } while (used.has(id));
    used.add(id);
    return id;
  };
}

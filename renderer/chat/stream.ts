/**
 * One streamed answer, read: server-sent events in, what happened out. Pure but for the stream it is given; runs in the
 * browser and, in tests, in Node.
 */
import { createParser } from "eventsource-parser";
import { chatChunk, errorAnswer } from "../api/shapes.ts";

export type ChatUpdate =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "finish"; readonly reason: string }
  | {
      readonly type: "usage";
      readonly promptTokens: number;
      readonly cachedTokens: number;
      readonly outputTokens: number;
    }
  /** The server's closing comment: where it ran and what it cost, in the server's words. */
  | { readonly type: "closing"; readonly target: string | null; readonly cost: string | null }
  | { readonly type: "failed"; readonly message: string }
  /** `[DONE]`: the answer is whole. A stream that ends without it was cut. */
  | { readonly type: "done" };

/** Reads to the end of the stream. Frames of an unknown shape are skipped: a newer server may send more than we know. */
export async function* readChat(body: ReadableStream<Uint8Array>): AsyncGenerator<ChatUpdate> {
  let found: ChatUpdate[] = [];
  const parser = createParser({
    onEvent: (event) => found.push(...updatesOf(event.data)),
    onComment: (comment) => found.push(...closingOf(comment)),
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const ready = found;
      found = [];
      yield* ready;
    }
  } finally {
    // Leaving early must let go of the connection, else the server goes on answering nobody.
    await reader.cancel().catch(() => undefined);
  }
}

/** What one `data:` line says. */
export function updatesOf(data: string): ChatUpdate[] {
  if (data.trim() === "[DONE]") return [{ type: "done" }];
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return [];
  }
  const failed = errorAnswer.safeParse(json);
  if (failed.success) return [{ type: "failed", message: failed.data.error.message }];
  const chunk = chatChunk.safeParse(json);
  if (!chunk.success) return [];
  const updates: ChatUpdate[] = [];
  const choice = chunk.data.choices[0];
  if (choice?.delta?.reasoning_content) updates.push({ type: "reasoning", text: choice.delta.reasoning_content });
  if (choice?.delta?.content) updates.push({ type: "text", text: choice.delta.content });
  if (choice?.finish_reason) updates.push({ type: "finish", reason: choice.finish_reason });
  const usage = chunk.data.usage;
  if (usage) {
    updates.push({
      type: "usage",
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
      outputTokens: usage.completion_tokens,
    });
  }
  return updates;
}

/** `x-lanthorn-target=engine/coder cost=unknown(not_priced)` → both words. Other comments keep the line busy. */
export function closingOf(comment: string): ChatUpdate[] {
  const found = /^\s*x-lanthorn-target=(\S+)(?:\s+cost=(\S+))?/.exec(comment);
  if (found === null) return [];
  const target = found[1] === undefined || found[1] === "none" ? null : decodeTarget(found[1]);
  return [{ type: "closing", target, cost: found[2] ?? null }];
}

function decodeTarget(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}

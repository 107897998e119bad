/**
 * What the shapes we call have in common about a request's messages. Pure; shared by them; imports the domain only.
 */
import type {
  ChatMessage,
  ChatRequest,
  ContentPart,
  MediaSource,
  ReasoningEffort,
  ReasoningWish,
} from "../domain/chat.ts";
import { Failure } from "../domain/failure.ts";

/** The messages of a chat, or a completion's prompt as what a user says. Throws `unsupported` for what only raw models do. */
export function calledMessages(request: ChatRequest): readonly ChatMessage[] {
  const { completion } = request;
  if (completion === null) return request.messages;
  const refuse = (param: string, what: string): Failure =>
    new Failure("unsupported", `${what}: the model behind this alias answers chats.`, { param });
  if (completion.suffix !== null) throw refuse("suffix", "Filling in before a suffix is not possible");
  if (completion.echo) throw refuse("echo", "The prompt cannot be part of the answer");
  const [prompt, ...more] = completion.prompts;
  if (typeof prompt !== "string") throw refuse("prompt", "A prompt of token ids cannot be sent on");
  if (more.length > 0) throw refuse("prompt", "Only one prompt can be sent on at a time");
  return [{ role: "user", content: [{ type: "text", text: prompt }] }];
}

export function dataUrl(source: Extract<MediaSource, { kind: "base64" }>): string {
  return `data:${source.mediaType};base64,${source.data}`;
}

/** A result's text, marked where the tool failed and the shape has no word for it. */
export function resultText(content: readonly ContentPart[], isError: boolean | undefined): string {
  const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  return markedText(text, isError);
}

export function markedText(text: string, isError: boolean | undefined): string {
  return isError === true && !/^\s*error/i.test(text) ? `Error: ${text}` : text;
}

/** How hard to think, for a shape that has words and no budget in tokens: the nearest word. Null: nothing was said. */
export function effortWord({ effort, budgetTokens }: ReasoningWish): ReasoningEffort | null {
  if (effort !== null || budgetTokens === null) return effort;
  return budgetTokens <= 4_096 ? "low" : budgetTokens <= 16_384 ? "medium" : "high";
}

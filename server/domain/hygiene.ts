/**
 * Prompt hygiene: text that agents put near the head of a prompt and that is different in every request (a billing header, a
 * countdown of tokens) says nothing to a model and makes every turn's prefix a new one. Each rule takes one such text out and
 * is named in the request's record. Pure. A rule never touches a line that merely mentions its subject.
 */
import type { ChatMessage, ChatRequest, ContentPart } from "./chat.ts";
import type { RequestNote } from "./note.ts";

export interface HygieneRule {
  /** Stable: it stands in rows. */
  readonly id: string;
  /** Whose text this is, and what changes in it. */
  readonly about: string;
  readonly roles: readonly ChatMessage["role"][];
  /** Whole lines only, with their line end; global. */
  readonly lines: RegExp;
  /** Cheap and certain: a text without this has no such line. */
  readonly marker: string;
}

export const hygieneRules: readonly HygieneRule[] = Object.freeze([
  {
    id: "billing-header",
    about: "Claude Code's first system block: a header line with a hash of its own request",
    roles: ["system"],
    lines: /^x-anthropic-billing-header:[^\n]*(?:\n|$)/gm,
    marker: "x-anthropic-billing-header:",
  },
  {
    id: "total-tokens",
    about: "Claude Code's countdown of the tokens that are left, repeated in every turn",
    roles: ["system", "user", "tool"],
    lines: /^[ \t]*<total_tokens>\d+ tokens left<\/total_tokens>[ \t]*(?:\n|$)/gm,
    marker: "<total_tokens>",
  },
]);

export interface Cleaned {
  readonly request: ChatRequest;
  /** One per rule that found something. */
  readonly notes: readonly RequestNote[];
}

/** The request without what its rules take out; the very same object when there was nothing. */
export function cleaned(request: ChatRequest): Cleaned {
  const applied = new Set<string>();
  const messages = request.messages.map((message) => cleanedMessage(message, applied));
  if (applied.size === 0) return { request, notes: [] };
  const notes = [...applied].map((detail): RequestNote => ({ code: "prompt_normalised", detail }));
  // A system message that was nothing but a header is no message any more.
  const left = messages.filter((message, at) => message === request.messages[at] || message.content.length > 0);
  return { request: { ...request, messages: left }, notes };
}

function cleanedMessage(message: ChatMessage, applied: Set<string>): ChatMessage {
  let changed = false;
  const content: ContentPart[] = [];
  for (const part of message.content) {
    if (part.type !== "text") {
      content.push(part);
      continue;
    }
    const text = cleanedText(part.text, message.role, applied);
    changed ||= text !== part.text;
    if (text !== "" || text === part.text) content.push(text === part.text ? part : { ...part, text });
  }
  return changed ? { ...message, content } : message;
}

function cleanedText(text: string, role: ChatMessage["role"], applied: Set<string>): string {
  let left = text;
  for (const { id, roles, lines, marker } of hygieneRules) {
    if (!roles.includes(role) || !left.includes(marker)) continue;
    const without = left.replace(lines, "");
    if (without !== left) applied.add(id);
    left = without;
  }
  return left;
}

/**
 * `encrypted_content` of reasoning that another wire shape signed: its dialect stands before the signature, so that it finds
 * its way back to the upstream that can read it, and to no other. Pure.
 */
import type { ReasoningBlock } from "../../domain/chat.ts";

export const responsesId = "openai-responses";

/** `lanthorn:<dialect>:<s|r>:<signature>`; `r` is redacted. */
const ours = /^lanthorn:([a-z-]+):([sr]):(.*)$/s;

export function encryptedContent({ signature, dialect, redacted }: ReasoningBlock): string | null {
  if (signature === null || dialect === responsesId) return signature;
  return `lanthorn:${dialect}:${redacted === true ? "r" : "s"}:${signature}`;
}

/** The block an item stands for. */
export function blockOf(text: string, encrypted: string | null, id: string | null): ReasoningBlock {
  const found = encrypted === null ? null : ours.exec(encrypted);
  const named = id === null ? {} : { id };
  if (found === null) return { text, signature: encrypted, dialect: responsesId, ...named };
  const [, dialect = "", kind, signature = ""] = found;
  return { text, signature, dialect, ...(kind === "r" ? { redacted: true } : {}), ...named };
}

/** True for reasoning of an upstream that is no Responses API. */
export function isForeign(encrypted: unknown): boolean {
  return typeof encrypted === "string" && ours.test(encrypted);
}

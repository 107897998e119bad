/**
 * Signatures of thinking that is not Anthropic's. Its clients hand thinking back only when it is signed, so what another model
 * thought gets a signature of ours around whatever its own wire wants to see again. Pure; imports the domain only.
 */
import { z } from "zod";
import type { ReasoningBlock } from "../../domain/chat.ts";

export const dialectId = "anthropic-messages";

const ours = "lanthorn.1.";

const sealed = z.object({
  dialect: z.string(),
  signature: z.string().nullable(),
  id: z.string().optional(),
  redacted: z.boolean().optional(),
});

/** True for a signature that no provider would recognise as its own. */
export function isOurs(signature: string): boolean {
  return signature.startsWith(ours);
}

/** What a client sees: Anthropic's own as it is, anything else (`null`: nothing known) inside one of ours. Never empty. */
export function wireSignature(block: ReasoningBlock | null): string {
  if (block?.dialect === dialectId && block.signature !== null && block.signature !== "") return block.signature;
  if (block === null || block.signature === null) return `${ours}none`;
  const { dialect, signature, id, redacted } = block;
  return ours + Buffer.from(JSON.stringify({ dialect, signature, id, redacted })).toString("base64url");
}

/** What came back as one block of thinking; null: the text is all there is to it. */
export function reasoningBlock(text: string, signature: string | null): ReasoningBlock | null {
  if (signature === null || signature === "") return null;
  if (!isOurs(signature)) return { text, signature, dialect: dialectId };
  const inside = opened(signature.slice(ours.length));
  if (inside === null) return null;
  const { dialect, id, redacted } = inside;
  return {
    ...{ text, signature: inside.signature, dialect },
    ...(id === undefined ? {} : { id }),
    ...(redacted === undefined ? {} : { redacted }),
  };
}

/** Null for the one that says nothing, and for what somebody has changed. */
function opened(text: string): z.infer<typeof sealed> | null {
  try {
    const inside = sealed.safeParse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    return inside.success ? inside.data : null;
  } catch {
    return null;
  }
}

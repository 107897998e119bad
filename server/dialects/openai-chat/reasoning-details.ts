/**
 * Signed thinking in OpenAI's chat shape, which has no place for it: as `reasoning_details`, which OpenRouter made and some
 * clients hand back. It goes in the encrypted form, so that no client shows the thinking twice. Pure; imports the domain only.
 */
import { z } from "zod";
import type { ReasoningBlock } from "../../domain/chat.ts";

const ours = "lanthorn:";

const detail = z.object({ type: z.literal("reasoning.encrypted"), data: z.string(), format: z.string() });
const sealed = z.object({
  text: z.string(),
  signature: z.string(),
  id: z.string().optional(),
  redacted: z.boolean().optional(),
});

/** `textSoFar`: what was thought since the last block, for a block that does not say its text. Null: nothing to keep. */
export function reasoningDetail(block: ReasoningBlock, textSoFar: string): object | null {
  const { dialect, signature, id, redacted } = block;
  if (signature === null) return null;
  const inside = { text: block.text === "" ? textSoFar : block.text, signature, id, redacted };
  const data = Buffer.from(JSON.stringify(inside)).toString("base64url");
  return { type: "reasoning.encrypted", data, format: ours + dialect };
}

/** The blocks that came back; details of other makers mean nothing here and go on in the body as they are. */
export function blocksIn(details: readonly unknown[] | null | undefined): readonly ReasoningBlock[] {
  return (details ?? []).flatMap((one): ReasoningBlock[] => {
    const read = detail.safeParse(one);
    if (!read.success || !read.data.format.startsWith(ours)) return [];
    const inside = opened(read.data.data);
    if (inside === null) return [];
    const { id, redacted, ...block } = inside;
    return [
      {
        ...block,
        dialect: read.data.format.slice(ours.length),
        ...(id === undefined ? {} : { id }),
        ...(redacted === undefined ? {} : { redacted }),
      },
    ];
  });
}

/** Null for what somebody has changed. */
function opened(data: string): z.infer<typeof sealed> | null {
  try {
    const inside = sealed.safeParse(JSON.parse(Buffer.from(data, "base64url").toString("utf8")));
    return inside.success ? inside.data : null;
  } catch {
    return null;
  }
}

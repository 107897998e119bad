/**
 * A Messages body for an upstream of the same wire shape: as the client sent it, but for the closed list of edits. Pure.
 *
 * The list: the model; the bound of the answer, and a budget of thinking that would not fit under it; thinking that this box
 * signed, because only the model that thought it can read it.
 */
import type { CallFacts } from "../called.ts";
import { leastBudgetTokens } from "./call-thinking.ts";
import { boundedBudget } from "./decode.ts";
import { isOurs } from "./signature.ts";

type Body = Readonly<Record<string, unknown>>;

export function passedBody(body: Body, facts: CallFacts): Body {
  const asked = typeof body.max_tokens === "number" ? body.max_tokens : null;
  const maxTokens = facts.maxTokens === null ? asked : Math.min(facts.maxTokens, asked ?? facts.maxTokens);
  return {
    ...body,
    model: facts.model,
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...boundedThinking(body, maxTokens),
    ...ownMessages(body),
  };
}

/** Counting wants no answer. */
export function passedCountBody(body: Body, facts: CallFacts): Body {
  const { max_tokens: _, stream: __, metadata: ___, stop_sequences: ____, ...prompt } = body;
  return { ...prompt, model: facts.model, ...ownMessages(body) };
}

function boundedThinking({ thinking }: Body, maxTokens: number | null): Body {
  if (typeof thinking !== "object" || thinking === null || maxTokens === null || maxTokens === 0) return {};
  const budget = "budget_tokens" in thinking ? thinking.budget_tokens : null;
  if (typeof budget !== "number" || budget < maxTokens) return {};
  const bounded = boundedBudget(budget, maxTokens);
  return { thinking: bounded < leastBudgetTokens ? { type: "disabled" } : { ...thinking, budget_tokens: bounded } };
}

function ownMessages({ messages }: Body): Body {
  if (!Array.isArray(messages) || !messages.some(hasOurThinking)) return {};
  return {
    messages: messages.flatMap((message: unknown): readonly unknown[] => {
      if (!hasOurThinking(message)) return [message];
      const content = message.content.filter((block) => !isOurThinking(block));
      return content.length === 0 ? [] : [{ ...message, content }];
    }),
  };
}

function hasOurThinking(message: unknown): message is { readonly content: readonly unknown[] } {
  if (typeof message !== "object" || message === null || !("content" in message)) return false;
  return Array.isArray(message.content) && message.content.some(isOurThinking);
}

/** Signed by this box, or by nobody. */
function isOurThinking(block: unknown): boolean {
  if (typeof block !== "object" || block === null || !("type" in block) || block.type !== "thinking") return false;
  const signature = "signature" in block ? block.signature : null;
  return typeof signature !== "string" || signature === "" || isOurs(signature);
}

/**
 * How hard a model is to think, as Anthropic wants it said. Models from 4.6 on take an effort and think as much as they need;
 * earlier ones take a budget (`claude-model.ts`), as do imitators (`traits.thinkingBudget`). Pure.
 */
import type { ChatRequest, ReasoningEffort } from "../../domain/chat.ts";
import type { CallFacts } from "../called.ts";
import { thinkingBlocks } from "./call-messages.ts";
import { claudeModel } from "./claude-model.ts";

/** Tokens. Below it a budget is refused. */
export const leastBudgetTokens = 1024;

const budgets: Readonly<Record<Exclude<ReasoningEffort, "none">, number>> = Object.freeze({
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
});

type WireEffort = "low" | "medium" | "high" | "xhigh";

export interface WireThinking {
  readonly thinking?: { readonly type: string; readonly [field: string]: unknown };
  readonly effort?: WireEffort;
}

export function wireThinking(
  request: ChatRequest,
  maxTokens: number,
  { model, traits }: Pick<CallFacts, "model" | "traits">,
): WireThinking {
  const wish = request.reasoning;
  if (wish === undefined) return {};
  const { effort, budgetTokens, summary } = wish;
  const takes = traits.thinkingBudget === true ? "budget" : (claudeModel(model)?.thinking ?? "effort");
  if (takes === "none") return {};
  if (effort === "none") return { thinking: { type: "disabled" } };
  if ((effort === null && budgetTokens === null) || !mayThink(request)) return {};
  if (takes === "budget") {
    const wished = budgetTokens ?? (effort === null ? leastBudgetTokens : budgets[effort]);
    const budget = Math.min(Math.max(wished, leastBudgetTokens), maxTokens - 1);
    return budget < leastBudgetTokens ? {} : { thinking: { type: "enabled", budget_tokens: budget } };
  }
  const thinking = { type: "adaptive", ...(summary === null ? {} : { display: "summarized" }) };
  return { thinking, effort: effort === null ? effortOf(budgetTokens ?? 0) : effort === "minimal" ? "low" : effort };
}

function effortOf(budgetTokens: number): WireEffort {
  if (budgetTokens >= budgets.xhigh) return "xhigh";
  if (budgetTokens >= budgets.high) return "high";
  return budgetTokens >= budgets.medium ? "medium" : "low";
}

/** Not while a call is forced, and not on from a call whose thinking it cannot be shown. */
function mayThink({ toolChoice, messages }: ChatRequest): boolean {
  if (toolChoice.type === "required" || toolChoice.type === "named") return false;
  if (messages.at(-1)?.role !== "tool") return true;
  const caller = messages.findLast((message) => message.role === "assistant");
  return caller === undefined || thinkingBlocks(caller).length > 0;
}

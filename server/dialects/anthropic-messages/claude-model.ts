/**
 * What a model of Anthropic's takes, by its version: `claude-opus-4-7`, `claude-sonnet-4-20250514`, `claude-3-5-haiku-20241022`. Pure.
 * From 4.6 on thinking has an effort and no budget is needed, from 4.7 on a budget, and any wish about sampling, is refused with 400; up to
 * 4.5 there are only budgets, and before 3.7 no thinking (Anthropic's migration guide, and what others ran into; looked up 2026-11-27).
 */

export interface ClaudeModel {
  readonly thinking: "none" | "budget" | "effort";
  /** Takes `temperature`, `top_p` and `top_k`. */
  readonly samples: boolean;
}

/** Null: it is not one whose version its name says. */
export function claudeModel(model: string): ClaudeModel | null {
  const found = /(?:^|[/.])claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model);
  if (found === null) return null;
  const version = Number(found[1]) * 100 + Number(found[2] ?? 0);
  const thinking = version < 307 ? "none" : version < 406 ? "budget" : "effort";
  return { thinking, samples: version < 407 };
}

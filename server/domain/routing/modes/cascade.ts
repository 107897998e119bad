/** Whether the draft of a cascade is given, judged, or another target answers. Pure. */
import type { ChatEvent, EndEvent } from "../../chat.ts";
import { type Confidence, confidenceOf } from "./confidence.ts";
import type { RouteModes } from "./settings.ts";

/** What of a draft the decision looks at. */
export interface Draft {
  /** Null: it could not be made, or broke off. */
  readonly finishReason: Extract<EndEvent, { type: "finished" }>["finishReason"] | null;
  readonly isEmpty: boolean;
  readonly callsTools: boolean;
  /** Of the least sure of its answers; null: the backend gave no log-probabilities. */
  readonly confidence: Confidence | null;
}

export type DraftWhy =
  | "failed"
  | "empty"
  | "cut"
  | "withheld"
  | "tool_calls"
  | "no_logprobs"
  | "sure"
  | "unsure"
  | "judge_only";

export interface DraftVerdict {
  readonly do: "accept" | "escalate" | "judge";
  readonly why: DraftWhy;
  readonly threshold: number;
}

export function draftOf(events: readonly ChatEvent[], end: EndEvent): Draft {
  const logprobs = new Map<number, number[]>();
  let callsTools = false;
  let isEmpty = true;
  let hasUnknown = false;
  for (const event of events) {
    if (event.type === "tool-call") callsTools = true;
    if (event.type !== "text" || event.text === "") continue;
    if (event.text.trim() !== "") isEmpty = false;
    const choice = event.choice ?? 0;
    if (event.logprobs === undefined) hasUnknown = true;
    else logprobs.set(choice, [...(logprobs.get(choice) ?? []), ...event.logprobs.map(({ logprob }) => logprob)]);
  }
  const all = [...logprobs.values()].flatMap((one) => confidenceOf(one) ?? []);
  const least = all.sort((left, right) => left.value - right.value)[0] ?? null;
  return {
    finishReason: end.type === "finished" ? end.finishReason : null,
    isEmpty: isEmpty && !callsTools,
    callsTools,
    // Text without a figure may stand behind text with one (a stop string that was held back); then the figures count.
    confidence: least === null || (hasUnknown && least.tokens < 1) ? null : least,
  };
}

/** `target`: who drafted, `engine/qwen`. */
export function judgeDraft(
  draft: Draft,
  target: string,
  cascade: RouteModes["cascade"],
  hasJudge: boolean,
): DraftVerdict {
  const threshold = cascade.calibration[target] ?? cascade.threshold;
  const verdict = (what: DraftVerdict["do"], why: DraftWhy): DraftVerdict => ({
    do: what === "judge" && !hasJudge ? "escalate" : what,
    why,
    threshold,
  });
  if (draft.finishReason === null) return verdict("escalate", "failed");
  if (draft.finishReason === "content-filter") return verdict("escalate", "withheld");
  if (draft.finishReason === "length" || draft.finishReason === "pause") return verdict("escalate", "cut");
  if (draft.isEmpty) return verdict("escalate", "empty");
  if (draft.callsTools) return verdict(cascade.toolCalls, "tool_calls");
  if (hasJudge && cascade.judgeWhen === "always") return verdict("judge", "judge_only");
  if (draft.confidence === null) return verdict(cascade.withoutLogprobs, "no_logprobs");
  if (draft.confidence.value >= threshold) return verdict("accept", "sure");
  return verdict(hasJudge ? "judge" : "escalate", "unsure");
}

/** For a row's note: figures and never text of the answer. */
export function verdictText(target: string, { why, threshold }: DraftVerdict, { confidence }: Draft): string {
  if (confidence === null || (why !== "sure" && why !== "unsure")) return `${target}: ${why}`;
  return `${target}: ${why}, ${confidence.value.toFixed(3)} of ${threshold}`;
}

/** An answer as the response cache keeps it: what was said, without how it travelled. Pure. */
import { type ChatEvent, type ChatRequest, type EndEvent, isContent } from "./chat.ts";
import { noTimings } from "./usage.ts";

/** What rows call the place that such an answer came from. */
export const keptAnswers = "cache";

/** What the owner allows for one alias. */
export interface CacheRule {
  /** Milliseconds an answer may be given again. */
  readonly ttlMs: number;
  /** One key's answer may be another's; otherwise each key has its own. */
  readonly sharedAcrossKeys: boolean;
  /** Answers drawn at a temperature above 0 are kept too: then every asker gets the same draw. */
  readonly sampled: boolean;
}

export interface KeptAnswer {
  /** Content, in order, without the frames of a wire shape. */
  readonly events: readonly ChatEvent[];
  readonly end: Extract<EndEvent, { type: "finished" }>;
}

/** A temperature that was not sent is the backend's own, and that is not 0. */
export function mayCache(request: ChatRequest, rule: CacheRule): boolean {
  return request.loadOnly !== true && (rule.sampled || request.sampling.temperature === 0);
}

/** Null: not an answer to give to somebody else (withheld, paused, failed, left). */
export function keptAnswer(events: readonly ChatEvent[], end: EndEvent): KeptAnswer | null {
  if (end.type !== "finished" || end.finishReason === "content-filter" || end.finishReason === "pause") return null;
  const kept: ChatEvent[] = [];
  for (const event of events) {
    if (!isContent(event) && event.type !== "choice-finished") continue;
    const { wire, ...said } = event;
    const last = kept.at(-1);
    if (said.type === "text" && last?.type === "text" && canJoin(said, last)) {
      kept[kept.length - 1] = { ...last, text: last.text + said.text };
    } else kept.push(said as ChatEvent);
  }
  const { finishReason, stopSequence, usage } = end;
  const ending = { type: "finished", finishReason, usage, timings: noTimings } as const;
  return { events: kept, end: stopSequence === undefined ? ending : { ...ending, stopSequence } };
}

type Text = Extract<ChatEvent, { type: "text" }>;

/** Log-probabilities stay with their tokens. */
function canJoin(left: Text, right: Text): boolean {
  return left.choice === right.choice && left.logprobs === undefined && right.logprobs === undefined;
}

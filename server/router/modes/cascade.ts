/**
 * The first group drafts and nobody sees it; a draft that is sure enough is given, otherwise the next groups answer. What is
 * sure enough is decided by `domain/routing/modes/cascade.ts`. Server process.
 */
import { type ChatRequest, isContent } from "../../domain/chat.ts";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import { draftOf, judgeDraft, verdictText } from "../../domain/routing/modes/cascade.ts";
import { isGood } from "./judge.ts";
import type { Hidden, Mode, ModeRun } from "./mode.ts";
import { aborted, replay } from "./replay.ts";

export const cascade: Mode = async function* (run) {
  const { plan, request, signal } = run;
  const first = plan.groups[0];
  const drafting = plan.attempts.filter(({ group }) => group === first);
  const others = plan.attempts.filter(({ group }) => group !== first);
  if (drafting.length === 0) {
    run.note({ code: "no_draft", detail: "" });
    yield* run.stream(others, request);
    return;
  }
  const draft = await run.hidden(plan, drafting, draftRequest(request), run.attemptsLeft() - keptFor(others));
  if (signal.aborted) {
    yield aborted;
    return;
  }
  const isWanted = await decide(run, draft, keptFor(others));
  if (signal.aborted) {
    yield aborted;
    return;
  }
  if (isWanted) {
    run.answeredBy(draft.target);
    yield* replay(draft, request);
    return;
  }
  if (draft.failure !== null && (others.length === 0 || !mayGoOn(draft.failure))) throw draft.failure;
  yield* insteadOf(run, draft, others);
};

/** The client's request with log-probabilities, which it may not have asked for. */
export function draftRequest(request: ChatRequest): ChatRequest {
  const { wire: _wire, ...rest } = request;
  return { ...rest, logprobs: request.logprobs ?? { top: 0 } };
}

/** The last attempt is for an answer. */
function keptFor(others: ModeRun["plan"]["attempts"]): number {
  return others.length > 0 ? 1 : 0;
}

async function decide(run: ModeRun, draft: Hidden, keep: number): Promise<boolean> {
  const { cascade: setting } = run.plan.route.modes;
  const hasJudge = (run.plan.asides.judge?.attempts.length ?? 0) > 0;
  const facts = draftOf(draft.events, draft.end);
  const verdict = judgeDraft(facts, draft.target, setting, hasJudge);
  const isWanted = verdict.do === "judge" ? (await isGood(run, draft.events, keep)) === true : verdict.do === "accept";
  run.note({ code: isWanted ? "draft_given" : "draft_discarded", detail: verdictText(draft.target, verdict, facts) });
  return isWanted;
}

/** What is refused may have been refused for the log-probabilities that we asked for; the next group judges for itself. */
const goesOn: ReadonlySet<FailureCode> = new Set([
  "model_not_found",
  "content_filtered",
  "unsupported",
  "upstream_invalid_request",
]);

/** A request that is wrong in itself is wrong everywhere. */
function mayGoOn({ code, kind }: Failure): boolean {
  return goesOn.has(code) || kind.mayFallBack || kind.mayRetry;
}

/** The next groups; where they say nothing, an unsure draft is better than nothing, unless the route wants none. */
async function* insteadOf(run: ModeRun, draft: Hidden, others: ModeRun["plan"]["attempts"]) {
  const { whenNoneLeft } = run.plan.route.modes.cascade;
  const isKept = draft.failure === null && whenNoneLeft === "answer";
  function* kept() {
    run.note({ code: "draft_kept", detail: draft.target });
    run.answeredBy(draft.target);
    yield* replay(draft, run.request);
  }
  if (others.length === 0) {
    if (!isKept)
      throw new Failure(
        "no_target",
        `The draft for "${run.plan.alias}" was not sure enough, and nobody else may answer.`,
      );
    yield* kept();
    return;
  }
  let hasBegun = false;
  try {
    for await (const event of run.stream(others, run.request)) {
      if (event.type === "failed" && !hasBegun && isKept && !run.signal.aborted) {
        yield* kept();
        return;
      }
      hasBegun ||= isContent(event);
      yield event;
    }
  } catch (thrown) {
    if (hasBegun || !isKept || run.signal.aborted) throw thrown;
    yield* kept();
  }
}

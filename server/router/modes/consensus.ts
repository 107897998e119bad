/**
 * The targets of the first group answer side by side; where they do not agree they see each other's answers and answer again,
 * up to three rounds, as long as the route's attempts suffice for all of them and the tie-breaker. Then the next group breaks the
 * tie. Server process.
 */
import type { ChatMessage, ChatRequest } from "../../domain/chat.ts";
import { agreed, comparable } from "../../domain/routing/modes/agreement.ts";
import type { PlanStep } from "../../domain/routing/plan.ts";
import { isSame } from "./judge.ts";
import type { Hidden, Mode, ModeRun } from "./mode.ts";
import { aborted, replay } from "./replay.ts";
import { answerText, message, withMessages } from "./words.ts";

interface Vote {
  readonly step: PlanStep;
  readonly answer: Hidden;
}

export const consensus: Mode = async function* (run) {
  const { plan, request, signal } = run;
  const { rounds } = plan.route.modes.consensus;
  const first = plan.groups[0];
  const others = plan.attempts.filter(({ group }) => group !== first);
  let voters = plan.attempts.filter(({ group }) => group === first);
  /** The last attempt is for whoever breaks the tie. */
  const keep = others.length > 0 ? 1 : 0;
  let votes: readonly Vote[] = [];
  let failed: Hidden | null = null;
  for (let round = 1; round <= rounds && voters.length > 0; round += 1) {
    const before = votes;
    const each = Math.floor((run.attemptsLeft() - keep) / voters.length);
    if (each < 1) {
      run.note({ code: "attempts_used_up", detail: `round ${round} was not begun` });
      break;
    }
    const asked = await Promise.all(
      voters.map(async (step): Promise<Vote> => {
        return { step, answer: await run.hidden(plan, [step], requestOf(request, step, before), each) };
      }),
    );
    if (signal.aborted) {
      yield aborted;
      return;
    }
    failed = asked.find(({ answer }) => answer.failure !== null)?.answer ?? failed;
    // Who fails later has still said something before.
    votes = asked.flatMap((vote) => (isAnswer(vote.answer) ? [vote] : before.filter(({ step }) => step === vote.step)));
    const winner = await agreedOn(run, votes, keep);
    if (signal.aborted) {
      yield aborted;
      return;
    }
    if (winner !== null) {
      run.note({ code: "voters_agreed", detail: `${winner.answer.target}, round ${round}` });
      run.answeredBy(winner.answer.target);
      yield* replay(winner.answer, request);
      return;
    }
    // Calls of tools are not talked over, and one alone has nobody to talk to.
    if (votes.length < 2 || votes.some(({ answer }) => answer.events.some(({ type }) => type === "tool-call"))) break;
    voters = votes.map(({ step }) => step);
  }
  run.note({ code: "voters_disagreed", detail: `${votes.length} answers` });
  if (others.length > 0) {
    yield* run.stream(others, votes.length === 0 ? request : requestOf(request, null, votes));
    return;
  }
  const best = votes[0]?.answer ?? null;
  if (best === null) {
    if (failed?.failure) throw failed.failure;
    yield* run.stream(plan.attempts, request);
    return;
  }
  run.answeredBy(best.target);
  yield* replay(best, request);
};

function isAnswer({ failure, events }: Hidden): boolean {
  return failure === null && comparable(events) !== "";
}

async function agreedOn(run: ModeRun, votes: readonly Vote[], keep: number): Promise<Vote | null> {
  const at = agreed(
    votes.map(({ answer }) => comparable(answer.events)),
    run.plan.route.modes.consensus.agree,
  );
  if (at !== null) return votes[at] ?? null;
  if (votes.length < 2) return null;
  const same = await isSame(
    run,
    votes.map(({ answer }) => answer.events),
    keep,
  );
  return same === true ? (votes[0] ?? null) : null;
}

/** From the second round on with what the others said. `step` null: for the one who breaks the tie. */
function requestOf(request: ChatRequest, step: PlanStep | null, votes: readonly Vote[]): ChatRequest {
  const { wire: _wire, ...plain } = request;
  if (votes.length === 0 || request.completion !== null) return plain;
  const own = votes.find((vote) => vote.step === step)?.answer;
  const others = votes.filter((vote) => vote.step !== step).map(({ answer }) => answerText(answer.events));
  if (others.every((text) => text === "")) return plain;
  const listed = others.map((text, index) => `Answer ${index + 1}:\n${text}`).join("\n\n");
  const said: readonly ChatMessage[] =
    own === undefined
      ? []
      : [
          {
            role: "assistant",
            content: [{ type: "text", text: answerText(own.events) }],
            reasoning: null,
            toolCalls: [],
          },
        ];
  const words =
    own === undefined
      ? "Others answered the above, and do not agree. Give the right answer in the form that was asked for, and nothing else."
      : "Others answered differently. Check yours against theirs. Give the right answer in the form that was asked for, and nothing else.";
  return { ...withMessages(request, [...request.messages, ...said, message("user", `${words}\n\n${listed}`)]) };
}

/** Condenses the older part of a long conversation before the main target answers. Server process. */
import type { ChatRequest } from "../../domain/chat.ts";
import { attemptsOfMode } from "../../domain/routing/modes/attempts.ts";
import { splitForBrief, withBrief } from "../../domain/routing/modes/brief.ts";
import type { ModeRun } from "./mode.ts";
import { answerText, question, transcript } from "./words.ts";

const words =
  "You condense conversations for somebody who goes on with them and sees only your words. Keep every fact, name, figure, path, decision, open question and instruction that may still matter. Leave out pleasantries. Write notes, not a story. Do not answer anything.";

/** Null: it stays as it is; a note says so where it should not have. */
export async function condensed(run: ModeRun): Promise<ChatRequest | null> {
  const { plan, request } = run;
  const { brief } = plan.route.modes;
  if (brief === null || plan.facts.promptTokens <= brief.over) return null;
  const failed = (why: string) => {
    run.note({ code: "brief_failed", detail: why });
    return null;
  };
  const split = splitForBrief(request, brief.keepTurns);
  if (split === null) return failed("nothing older than the turns that stay");
  const by = plan.asides.condense;
  if (by === undefined || by.attempts.length === 0) return failed("nobody may condense it");
  const asked = question(request, words, transcript(split.older), { schema: null, maxTokens: brief.maxTokens });
  const said = await run.hidden(by, by.attempts, asked, run.attemptsLeft() - attemptsOfMode(plan.route));
  if (run.signal.aborted) return null;
  const text = answerText(said.events).trim();
  if (said.failure !== null || text === "") return failed(said.failure?.code ?? "it said nothing");
  run.note({
    code: "briefed",
    detail: `${split.older.length} messages of about ${plan.facts.promptTokens} tokens by ${said.target}`,
  });
  return withBrief(request, split, text);
}

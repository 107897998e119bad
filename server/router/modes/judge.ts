/** Asks a model whether an answer is good enough, or whether answers say the same. Server process. */
import type { ChatEvent } from "../../domain/chat.ts";
import type { ModeRun } from "./mode.ts";
import { answerJson, answerText, asked, question } from "./words.ts";

const yesOrNo = Object.freeze({
  type: "object",
  properties: { yes: { type: "boolean" } },
  required: ["yes"],
  additionalProperties: false,
});
/** Tokens: `{"yes": false}` and some room. */
const verdictTokens = 64;
/** Characters of each answer that are shown. */
const longestAnswer = 8_000;

const graderWords =
  "You check answers. Decide whether the answer is right, complete and does what was asked. Say yes only if you are sure.";
const samenessWords =
  "You compare answers to one question. Decide whether they say the same in substance; wording does not matter.";

/** Null: nobody could be asked, or said neither yes nor no. `keep`: attempts that must be left for what comes after. */
export function isGood(run: ModeRun, events: readonly ChatEvent[], keep: number): Promise<boolean | null> {
  return ask(
    run,
    keep,
    graderWords,
    `The question:\n${asked(run.request)}\n\nThe answer:\n${shown(events)}\n\nIs it good?`,
  );
}

export function isSame(
  run: ModeRun,
  answers: readonly (readonly ChatEvent[])[],
  keep: number,
): Promise<boolean | null> {
  const listed = answers.map((events, index) => `Answer ${index + 1}:\n${shown(events)}`).join("\n\n");
  return ask(run, keep, samenessWords, `The question:\n${asked(run.request)}\n\n${listed}\n\nDo they say the same?`);
}

async function ask(run: ModeRun, keep: number, system: string, user: string): Promise<boolean | null> {
  const plan = run.plan.asides.judge;
  if (plan === undefined || plan.attempts.length === 0) return null;
  const most = run.attemptsLeft() - keep;
  if (most < 1) {
    run.note({ code: "attempts_used_up", detail: "the judge was not asked" });
    return null;
  }
  const wants = { schema: yesOrNo, maxTokens: verdictTokens };
  const said = await run.hidden(plan, plan.attempts, question(run.request, system, user, wants), most);
  const verdict = said.failure === null ? answerJson(said.events) : undefined;
  const yes = typeof verdict === "object" && verdict !== null && "yes" in verdict ? verdict.yes : null;
  const opinion = typeof yes === "boolean" ? yes : null;
  run.note({ code: "judged", detail: `${said.target}: ${opinion === null ? "no opinion" : opinion ? "yes" : "no"}` });
  return opinion;
}

function shown(events: readonly ChatEvent[]): string {
  const calls = events.flatMap((event) =>
    event.type === "tool-call" ? [`[calls ${event.name}]`] : event.type === "tool-arguments" ? [event.text] : [],
  );
  return [answerText(events), calls.join(" ")]
    .filter((text) => text !== "")
    .join("\n")
    .slice(0, longestAnswer)
    .toWellFormed();
}

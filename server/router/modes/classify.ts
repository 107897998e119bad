/** Which tier a request belongs to, where its client does not say: a small model answers a question with a schema. Server process. */
import type { ModeRun } from "./mode.ts";
import { answerJson, asked, question } from "./words.ts";

const words = "You sort requests to assistants by the kind of work they ask for. Do not do the work. Choose one kind.";
/** Tokens of `{"tier": "…"}`. */
const answerTokens = 64;

/** `run.plan`: that of the alias that was asked for, made before the tier was known. */
export async function classified(run: ModeRun): Promise<string> {
  const { classify } = run.plan.route.modes;
  if (classify === null) return "";
  const by = run.plan.asides.classify;
  const assume = (why: string) => {
    run.note({ code: "tier_assumed", detail: `${classify.otherwise}: ${why}` });
    return classify.otherwise;
  };
  if (by === undefined || by.attempts.length === 0) return assume("nobody may be asked");
  const names = Object.keys(classify.tiers);
  const schema = {
    type: "object",
    properties: { tier: { type: "string", enum: names } },
    required: ["tier"],
    additionalProperties: false,
  };
  const kinds = Object.entries(classify.tiers).map(([name, meaning]) => `- ${name}: ${meaning}`);
  const user = `The kinds:\n${kinds.join("\n")}\n\nThe request:\n${asked(run.request)}\n\nWhich kind is it?`;
  const said = await run.hidden(
    by,
    by.attempts,
    question(run.request, words, user, { schema, maxTokens: answerTokens }),
    // Which route's limit holds is not known before the tier is: one attempt is what each of them leaves room for.
    1,
  );
  if (said.failure !== null) return assume(said.failure.code);
  const answer = answerJson(said.events);
  const tier = typeof answer === "object" && answer !== null && "tier" in answer ? answer.tier : null;
  if (typeof tier !== "string" || !names.includes(tier)) return assume("no such tier");
  run.note({ code: "tier_chosen", detail: `${tier} by ${said.target}` });
  return tier;
}

/** Asks before something is lost. Runs in the command's process; the question goes to stderr, so that stdout stays data. */
import { createInterface } from "node:readline/promises";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

export interface Question {
  /** What will happen, as a question without the `[y/N]`. */
  readonly text: string;
  /** `--yes` was given. */
  readonly yes: boolean;
  /** A person can answer: stdin and stderr are terminals, and no `--json`. */
  readonly canAsk: boolean;
  /** The same command with `--yes`, paste-ready. */
  readonly command: string;
  readonly signal: AbortSignal;
}

/** Resolves when the answer is yes. Throws exit 2 when nobody can be asked, or the person says no (the default). */
export async function confirm(question: Question): Promise<void> {
  if (question.yes) return;
  if (!question.canAsk) {
    throw new CommandFailure(exitCodes.usage, "confirmation_missing", "This needs a confirmation: --yes", {
      why: `${question.text} Nobody is at a terminal to answer.`,
      next: [question.command],
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question.text} [y/N] `, { signal: question.signal });
    if (/^y(es)?$/iu.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CommandFailure(exitCodes.usage, "not_confirmed", "Nothing was changed", { why: "The answer was not yes." });
}

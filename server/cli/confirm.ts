/** Asks before something is lost. Runs in the command's process; the question goes to stderr, so that stdout stays data. */
import { createInterface } from "node:readline";
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
  const answer = await ask(`${question.text} [y/N] `);
  if (/^y(es)?$/iu.test(answer.trim())) return;
  throw new CommandFailure(exitCodes.usage, "not_confirmed", "Nothing was changed", { why: "The answer was not yes." });
}

/** The line that is typed; empty when the input ends instead. Ctrl-C is left to the process, as everywhere else. */
function ask(prompt: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    lines.once("close", () => resolve(""));
    lines.question(prompt, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}

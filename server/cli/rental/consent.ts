/** Whether a command of `lanthorn rental` may go on at all. Said before anybody is contacted. Runs in the command's process. */
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";

export interface Consent {
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** What makes it need a confirmation, as a sentence. */
  readonly what: string;
  /** The sub-command, and what it was for. */
  readonly command: string;
}

/** Throws exit 2 where nobody can be asked and nobody said yes: nothing is looked up for a question that cannot be put. */
export function mayChange(context: CommandContext, { dryRun, yes, what, command }: Consent): void {
  if (dryRun || yes || context.canAsk) return;
  throw new CommandFailure(exitCodes.usage, "confirmation_missing", "This needs a confirmation: --yes", {
    why: `${what} Nobody is at a terminal to answer, so nobody was asked for anything.`,
    next: [`lanthorn rental ${command} --dry-run`, `lanthorn rental ${command} --yes`],
  });
}

/**
 * The contract of a command: a line in `commands/index.ts` and a file that defines its options and actions on a commander
 * command. Only the command that was asked for is loaded, so that each starts quickly. Types and small helpers.
 */
import type { Command } from "commander";
import type { Output } from "./output.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything a command gets from the outside. */
export interface CommandContext {
  readonly output: Output;
  readonly environment: Environment;
  readonly workingFolder: string;
  /** A person can be asked: stdin and stderr are terminals, and no `--json`. */
  readonly canAsk: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** What goes on after a Ctrl-C, said on the way out: `The server is still stopping.` Null: nothing does. */
  onInterrupt(sentence: string | null): void;
  /** This command handles its signals and a closed stdout itself (`serve`). */
  handleSignalsItself(): void;
  setExitCode(code: number): void;
}

export interface CommandModule {
  /** Adds options, sub-commands and actions. Must not import anything slow before an action runs. */
  define(command: Command, context: CommandContext): void;
}

export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Examples stand first in a command's help, and those of a sub-command in its own: most people read no further. */
export function examples(command: Command, lines: readonly (readonly [line: string, meaning: string])[]): void {
  command.addHelpText("beforeAll", ({ command: shown }) => {
    const path = shown === command ? "" : `lanthorn ${command.name()} ${shown.name()}`;
    const chosen = lines.filter(([line]) => line.startsWith(path));
    const width = Math.max(...chosen.map(([line]) => line.length));
    const texts = chosen.map(([line, meaning]) => `  ${line.padEnd(width)}   ${meaning}`);
    return texts.length === 0 ? "" : `Examples:\n${texts.join("\n")}\n`;
  });
}

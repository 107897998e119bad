/**
 * Entry of the command line: `lanthorn <command>`, called by the bin. Decides which command runs and loads only that one,
 * turns whatever it throws into what / why / next and an exit code, and owns Ctrl-C and a reader that goes away.
 * Imports no other room at the start: what a command needs, the command loads.
 */
import { Command, CommanderError } from "commander";
import type { CommandContext } from "./command.ts";
import { type CommandName, commands, isCommandName } from "./commands/index.ts";
import { asCommandFailure, CommandFailure, usageFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { createOutput, type Output } from "./output.ts";

/** Runs one command and sets `process.exitCode`. Never rejects. */
export async function run(argv: readonly string[]): Promise<void> {
  const words = helpAsOption(argv);
  const options = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  const output = createOutput({
    stdout: process.stdout,
    stderr: process.stderr,
    json: options.includes("--json"),
    plain: options.includes("--no-color"),
    environment: process.env,
  });
  process.exitCode = exitCodes.done;
  const stage = createStage(output);
  try {
    await runCommand(words, stage.context);
  } catch (thrown) {
    const failure = asCommandFailure(thrown);
    process.exitCode = failure.exitCode;
    output.fail(failure);
  } finally {
    stage.leave();
  }
}

/** `help keys create` is `keys create --help`. */
function helpAsOption(argv: readonly string[]): readonly string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
}

/** What a command gets from this process, and the process' signals and streams while it runs. */
function createStage(output: Output): { readonly context: CommandContext; leave(): void } {
  const interrupt = new AbortController();
  let goesOn: string | null = null;
  const onSignal = () => {
    interrupt.abort();
    output.fail(new CommandFailure(exitCodes.interrupted, "interrupted", "Interrupted", { why: goesOn ?? "" }));
    process.exit(exitCodes.interrupted);
  };
  // `lanthorn … | head -1`: the reader has what it wanted. Not a failure, and nothing to say.
  const onReaderGone = (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  };
  const onErrorReaderGone = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  };
  const ignore = () => {};
  const detach = () => {
    process.off("SIGINT", onSignal);
    process.stdout.off("error", onReaderGone);
  };
  process.on("SIGINT", onSignal);
  process.stdout.on("error", onReaderGone);
  process.stderr.on("error", onErrorReaderGone);
  return {
    context: {
      output,
      environment: process.env,
      workingFolder: process.cwd(),
      canAsk: !output.json && process.stdin.isTTY === true && process.stderr.isTTY === true,
      signal: interrupt.signal,
      onInterrupt: (sentence) => {
        goesOn = sentence;
      },
      handleSignalsItself: () => {
        detach();
        process.stdout.on("error", ignore);
      },
      setExitCode: (code) => {
        process.exitCode = code;
      },
    },
    leave: () => process.off("SIGINT", onSignal),
  };
}

async function runCommand(words: readonly string[], context: CommandContext): Promise<void> {
  const { output } = context;
  const name = words.find((word) => !word.startsWith("-"));
  if (name === undefined && words.includes("--version")) {
    const { productVersion } = await import("../platform/version.ts");
    const version = productVersion();
    output.answer({ version }, () => version);
    return;
  }
  if (name !== undefined && !isCommandName(name)) throw await unknownCommand(name);

  const program = newProgram();
  for (const [known, entry] of Object.entries(commands)) {
    const command = program.command(known).description(entry.summary).helpCommand(false);
    if (known === name) (await entry.load()).define(command, context);
  }
  if (name === undefined) program.action(async () => (await import("./commands/box.ts")).showBox(context));
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode !== 0) throw wrongUsage(thrown, program, name, words);
  }
}

function newProgram(): Command {
  return (
    new Command("lanthorn")
      .description("A lantern for the LAN: serves GGUF models from this box, with one honest ledger.")
      .option("--json", "answer with one JSON value, errors as JSON on stderr")
      .option("--no-color", "no colour, also with NO_COLOR set")
      .option("--version", "print the version")
      .helpOption("-h, --help", "show this")
      .helpCommand("help [command]", "examples and options of a command")
      .configureHelp({ showGlobalOptions: true })
      .exitOverride()
      // What commander would print on a mistake is worded in `wrongUsage` instead.
      .configureOutput({ writeErr: () => {}, writeOut: (text) => void process.stdout.write(text) })
      .addHelpText(
        "after",
        [
          "",
          "Talks to the server of this user's data folder, or to LANTHORN_URL with LANTHORN_API_KEY.",
          "Exit codes: 0 done · 1 failed · 2 usage or confirmation missing · 3 no server · 4 key · 5 no such thing",
          "            6 no room · 7 budget · 8 upstream or market · 78 cannot start as asked · 130 interrupted",
        ].join("\n"),
      )
  );
}

async function unknownCommand(word: string): Promise<CommandFailure> {
  const { closest } = await import("../config/closest.ts");
  const near = closest(word, Object.keys(commands));
  return usageFailure(`"${word}" is not a command`, near === null ? "" : `Did you mean "${near}"?`, [
    near === null ? "lanthorn help" : `lanthorn help ${near}`,
  ]);
}

/** Commander's message without its prefix, and the help that answers it. */
function wrongUsage(
  error: CommanderError,
  program: Command,
  name: CommandName | undefined,
  words: readonly string[],
): CommandFailure {
  const command = program.commands.find((candidate) => candidate.name() === name);
  const topics = command?.commands.map((candidate) => candidate.name()).filter((topic) => topic !== "help") ?? [];
  const topic = words.slice(words.indexOf(name ?? "") + 1).find((word) => topics.includes(word));
  const path = ["lanthorn", "help", name, topic].filter((word) => word !== undefined).join(" ");
  if (error.code === "commander.help") {
    return usageFailure(`lanthorn ${name ?? ""} needs one of: ${topics.join(", ")}`, "", [path]);
  }
  const [message = "", ...hints] = error.message.replace(/^error: /u, "").split("\n");
  const why = hints.join(" ").replace(/^\(|\)$/gu, "");
  return usageFailure(message.charAt(0).toUpperCase() + message.slice(1), why, [path]);
}

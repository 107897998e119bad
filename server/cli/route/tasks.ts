/** Tasks with known answers from a file, one JSON object a line, and judging answers by them. Runs in the command's process. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { type Check, wrongness } from "../../domain/proof/check.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure, usageFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";

const task = z
  .object({
    prompt: z.string().min(1),
    system: z.string().optional(),
    maxTokens: z.int().min(1).optional(),
    /** Short for `check: {exact}`. */
    expected: z.string().optional(),
    check: z
      .union([
        z.strictObject({ exact: z.string() }),
        z.strictObject({ regex: z.string(), flags: z.string().optional() }),
        z.strictObject({ schema: z.record(z.string(), z.unknown()) }),
        z.strictObject({ command: z.array(z.string()).min(1) }),
      ])
      .optional(),
  })
  .refine(({ expected, check }) => (expected === undefined) !== (check === undefined), 'needs "expected" or "check"');

export interface Task {
  readonly prompt: string;
  readonly system: string | undefined;
  readonly maxTokens: number | undefined;
  readonly check: Check;
}

/** A command that judges an answer may take so long. */
const commandMs = 30_000;
const mostTasks = 100_000;

/** What was asked for cannot be done as written; `lanthorn route --help` has the forms. */
export function wrongUse(message: string): CommandFailure {
  return usageFailure(message, "", ["lanthorn route --help"]);
}

export function readTasks(file: string, context: CommandContext): readonly Task[] {
  let text: string;
  try {
    text = readFileSync(resolve(context.workingFolder, file), "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandFailure(exitCodes.noSuchThing, "no_such_file", `${file} cannot be read`, { why, next: [] });
  }
  // What Windows' editors put in front of UTF-8 is no part of the first task.
  const tasks = text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [taskOf(line, index + 1, file)]));
  if (tasks.length === 0) throw wrongUse(`There are no tasks in ${file}.`);
  if (tasks.length > mostTasks) throw wrongUse(`${file} has more than ${mostTasks} tasks.`);
  return tasks;
}

function taskOf(line: string, number: number, file: string): Task {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw wrongUse(`Line ${number} of ${file} is no JSON.`);
  }
  const parsed = task.safeParse(value);
  if (!parsed.success) throw wrongUse(`Line ${number} of ${file}: ${parsed.error.issues[0]?.message ?? "not a task"}.`);
  const { prompt, system, maxTokens, expected, check } = parsed.data;
  const wanted: Check = check ?? { exact: expected ?? "" };
  try {
    // A pattern or a schema that cannot be used is told before anything is paid for.
    if (!("command" in wanted)) wrongness("{}", wanted);
  } catch (cause) {
    throw wrongUse(`Line ${number} of ${file}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return { prompt, system, maxTokens, check: wanted };
}

/** Null: it is right. */
export async function judged(answer: string, check: Check, context: CommandContext): Promise<string | null> {
  if (!("command" in check)) return wrongness(answer, check);
  const [program = "", ...args] = check.command;
  return new Promise((settle) => {
    const child = spawn(program, args, {
      cwd: context.workingFolder,
      stdio: ["pipe", "ignore", "ignore"],
      timeout: commandMs,
      signal: context.signal,
    });
    child.once("error", (error) => settle(`the command failed: ${error.message}`));
    child.once("close", (code) =>
      settle(code === 0 ? null : code === null ? "the command was stopped" : `exit code ${code}`),
    );
    // One that does not read it has decided already.
    child.stdin.on("error", () => {});
    child.stdin.end(answer);
  });
}

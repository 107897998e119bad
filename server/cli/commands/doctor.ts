/** `lanthorn doctor`: looks at everything a server needs, says what is wrong and how to put it right. Changes nothing. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import type { Check, CheckContext, Finding } from "../doctor/check.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { findServer } from "../server-address.ts";
import { pad, printable } from "../text.ts";

interface TitledFinding extends Finding {
  readonly title: string;
}

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn doctor", "each line ok, note or fail; exit 1 when something has to be fixed"],
    ["lanthorn doctor --json", "the same as an array of {title, status, text, fix}"],
    ["lanthorn doctor --save-hardware box.json", "writes down this machine, for --hardware elsewhere"],
  ]);
  command.option("--save-hardware <file>", "write what the tools say about this machine into a new file");
  command.action((options: DoctorOptions) => doctor(context, options));
}

interface DoctorOptions {
  readonly saveHardware?: string;
}

async function doctor(context: CommandContext, { saveHardware }: DoctorOptions): Promise<void> {
  const { output, environment, workingFolder, signal } = context;
  const [{ checks }, { dataPaths }] = await Promise.all([
    import("../doctor/index.ts"),
    import("../../platform/paths.ts"),
  ]);
  const around: CheckContext = {
    environment,
    workingFolder,
    paths: dataPaths(environment),
    server: findServer(environment),
    signal,
  };
  const progress = output.progress("Looking at this installation");
  const findings: TitledFinding[] = [];
  for (const check of checks) {
    progress.update(`Looking at ${check.title.toLowerCase()}`);
    findings.push({ title: check.title, ...(await look(check, around)) });
  }
  progress.end(null);
  if (saveHardware !== undefined) await saveMachine(resolve(workingFolder, saveHardware), around);
  output.answer(findings, () => findingsText(findings, output));
  if (findings.some((finding) => finding.status === "fail")) context.setExitCode(exitCodes.failed);
}

/** What the checks looked at, in the form that `--hardware` reads. Never over a file that is there. */
async function saveMachine(path: string, around: CheckContext): Promise<void> {
  const { machineLook } = await import("../doctor/machine-look.ts");
  const machine = await machineLook(around);
  try {
    await writeFile(path, `${JSON.stringify(machine, null, 2)}\n`, { flag: "wx" });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw new CommandFailure(exitCodes.failed, "not_saved", `${path} cannot be written.`, { why, cause });
  }
}

/** A check that breaks is a finding too: the others are still worth knowing. */
async function look(check: Check, around: CheckContext): Promise<Finding> {
  try {
    return await check.look(around);
  } catch (thrown) {
    const { message, why, next } = asCommandFailure(thrown);
    return { status: "fail", text: `${message}. ${why}`.trim(), fix: next[0] ?? null };
  }
}

/** One line per finding, its fix below it, and the sum at the end. */
export function findingsText(findings: readonly TitledFinding[], output: Pick<Output, "paint">): string {
  const width = Math.max(...findings.map((finding) => finding.title.length));
  const lines = findings.flatMap(({ status, title, text, fix }) => {
    const word = pad(status, 4);
    const painted =
      status === "fail" ? output.paint("trouble", word) : status === "note" ? output.paint("attention", word) : word;
    const line = `${painted}  ${pad(title, width)}  ${printable(text)}`;
    return fix === null ? [line] : [line, `${" ".repeat(8 + width)}fix: ${printable(fix)}`];
  });
  const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length;
  const notes = count("note");
  return [...lines, `${count("fail")} to fix, ${notes} ${notes === 1 ? "note" : "notes"}`].join("\n");
}

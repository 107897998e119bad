/** `lanthorn models unload <alias>`: out of memory, and waits until its memory is free. */
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { durationText } from "../format.ts";
import { actAndFollow } from "./in-memory.ts";

export const unloadExamples = [
  ["lanthorn models unload coder", "frees its memory; refused while somebody uses it (exit 6)"],
  ["lanthorn models unload coder --wait", "lets running answers finish first"],
] as const;

export function defineUnload(command: Command, context: CommandContext): void {
  command
    .command("unload <alias>")
    .description("free a model's memory")
    .option("--wait", "let running answers finish first")
    .action((alias: string, flags: { readonly wait?: true }) => unload(alias, flags.wait === true, context));
}

async function unload(alias: string, wait: boolean, context: CommandContext): Promise<void> {
  try {
    const isOut = ({ state }: { readonly state: string }) => state === "unloaded" || state === "failed";
    const { model, tookMs } = await actAndFollow(alias, "unload", context, { wait }, isOut);
    context.output.answer(model, () => `${alias} is not in memory (${durationText(tookMs)}).`);
  } catch (thrown) {
    const failure = asCommandFailure(thrown);
    if (failure.code !== "model_busy") throw failure;
    const next = [`lanthorn models unload ${alias} --wait`];
    throw new CommandFailure(failure.exitCode, failure.code, failure.message, { next, cause: thrown });
  }
}

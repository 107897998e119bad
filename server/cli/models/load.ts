/** `lanthorn models load <alias>`: into memory, and waits until it answers. */
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { durationText } from "../format.ts";
import { actAndFollow, type ShownModel } from "./in-memory.ts";

export const loadExamples = [
  ["lanthorn models load coder", "into memory now, not with its first request; others leave if there is no room"],
] as const;

export function defineLoad(command: Command, context: CommandContext): void {
  command
    .command("load <alias>")
    .description("bring a model into memory")
    .action((alias: string) => load(alias, context));
}

async function load(alias: string, context: CommandContext): Promise<void> {
  const { model, tookMs } = await actAndFollow(alias, "load", context, undefined, isLoaded);
  context.output.answer(model, () => `${alias} is loaded (${durationText(tookMs)}).`);
}

function isLoaded(model: ShownModel): boolean {
  if (model.state === "failed") {
    throw new CommandFailure(exitCodes.noRoom, "model_unavailable", `"${model.id}" could not be loaded`, {
      why: model.reason,
      next: ["lanthorn doctor"],
    });
  }
  if (model.state === "unloaded" && model.waiting === 0) {
    throw new CommandFailure(exitCodes.noRoom, "unloaded_again", `"${model.id}" is not in memory any more`, {
      why: model.reason,
      next: ["lanthorn models list", `lanthorn models load ${model.id}`],
    });
  }
  return model.state === "ready";
}

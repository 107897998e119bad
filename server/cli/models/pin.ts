/** `lanthorn models pin <alias>` and `unpin`: whether a model may leave memory by itself. */
import type { Command } from "commander";
import { withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { act } from "./in-memory.ts";

export const pinExamples = [
  ["lanthorn models pin coder", "once loaded it stays, whoever wants its room; until the server ends, or unpin"],
  ["lanthorn models unpin coder", "it may leave again"],
] as const;

export function definePin(command: Command, context: CommandContext): void {
  command
    .command("pin <alias>")
    .description("keep a model in memory")
    .action((alias: string) => pin(alias, true, context));
  command
    .command("unpin <alias>")
    .description("let a model leave memory again")
    .action((alias: string) => pin(alias, false, context));
}

async function pin(alias: string, pinned: boolean, context: CommandContext): Promise<void> {
  const model = await withServer(context.environment, (client) => act(client, alias, pinned ? "pin" : "unpin"));
  context.output.answer(model, () => {
    if (!pinned) return `${alias} is not pinned.`;
    return model.state === "ready" ? `${alias} stays in memory.` : `${alias} stays in memory once it is loaded.`;
  });
}

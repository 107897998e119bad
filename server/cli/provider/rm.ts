/** `lanthorn provider rm <name>`: out of the settings, with its stored keys; or one stored key only. */
import { type Command, InvalidArgumentError } from "commander";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../format.ts";
import { withProviderDesk } from "../provider-desk.ts";

export const removeExamples = [
  ["lanthorn provider rm groq", "with its stored keys; asks first"],
  ["lanthorn provider rm openai --key 3 --yes", "one stored key, by its number in provider list --json"],
] as const;

interface RemoveFlags {
  readonly key?: number;
  readonly yes?: true;
}

export function defineRemove(command: Command, context: CommandContext): void {
  command
    .command("rm <name>")
    .description("end a provider, or one of its stored keys")
    .option("--key <n>", "only this stored key", readNumber)
    .option("--yes", "do not ask")
    .action((name: string, flags: RemoveFlags) => remove(name, flags, context));
}

function readNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("The number of a stored key.");
  return Number(text);
}

async function remove(name: string, { key, yes }: RemoveFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  // Two visits, with nothing held between them, as for keys of this box.
  const known = await withProviderDesk(context, (desk) => desk.list());
  if (!known.some(({ id }) => id === name)) {
    throw new CommandFailure(exitCodes.noSuchThing, "no_such_provider", `There is no provider "${name}"`, {
      next: ["lanthorn provider list"],
    });
  }
  await confirm({
    text:
      key === undefined
        ? `Remove ${name} from the settings, with its stored keys?`
        : `Remove stored key ${key} of ${name}?`,
    yes: yes === true,
    canAsk: context.canAsk,
    command: `lanthorn provider rm ${name}${key === undefined ? "" : ` --key ${key}`} --yes`,
  });
  if (key !== undefined) {
    const removed = await withProviderDesk(context, (desk) => desk.removeKey(name, key));
    output.answer({ key: removed }, () => `Removed key …${removed.tail} of ${name}.`);
    return;
  }
  const { keysRemoved } = await withProviderDesk(context, (desk) => desk.remove(name));
  output.answer({ provider: name, keysRemoved }, () => `Removed ${name} and ${plural(keysRemoved, "stored key")}.`);
}

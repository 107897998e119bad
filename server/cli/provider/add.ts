/**
 * `lanthorn provider add <name>`: a provider into the settings, a key into the box's store, or both. A key is read from standard
 * input, never from the command line, where other users and the shell's history would see it.
 */
import { type Command, InvalidArgumentError } from "commander";
import type { CommandContext } from "../command.ts";
import { CommandFailure, usageFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { withProviderDesk } from "../provider-desk.ts";

export const addExamples = [
  ["lanthorn provider add openai --key-stdin < key.txt", "OpenAI, with a key that is stored encrypted"],
  ["lanthorn provider add openai --bills-key < admin-key.txt", "a key that only reads bills, for usage reconcile"],
  ["lanthorn provider add groq", "with the key that GROQ_API_KEY holds when the server starts"],
  ["lanthorn provider add office --type vllm --base-url http://10.0.0.5:8000/v1 --model coder", "a server of your own"],
] as const;

interface AddFlags {
  readonly type?: string;
  readonly baseUrl?: string;
  readonly dialect?: string;
  readonly model?: readonly string[];
  readonly dataPolicy?: string;
  readonly region?: string;
  readonly keyFile?: string;
  readonly keyStdin?: true;
  readonly billsKey?: true;
  readonly label?: string;
  readonly weight: number;
}

export function defineAdd(command: Command, context: CommandContext): void {
  command
    .command("add <name>")
    .description("a provider, or a further key for one that is there")
    .option("--type <type>", "what it is, where its name does not say so: openai, vllm, custom …")
    .option("--base-url <url>", "where it is, up to and with /v1")
    .option("--dialect <dialect>", "its wire shape, where it is not the type's own")
    .option("--model <model>", "a model to offer; repeatable; without one whatever is asked for is passed on", gather)
    .option("--data-policy <policy>", "local, no-retention or any: what you agreed on with it")
    .option("--region <region>", "where it computes")
    .option("--key-file <file>", "a file that holds the key and that only its owner may read")
    .option("--key-stdin", "store the key that comes on standard input")
    .option("--bills-key", "store the key that comes on standard input for reading bills only (usage reconcile)")
    .option("--label <text>", "what the key is for")
    .option("--weight <n>", "its share beside other keys", readWeight, 1)
    .action((name: string, flags: AddFlags) => add(name, flags, context));
}

function gather(model: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), model];
}

function readWeight(text: string): number {
  const weight = Number(text);
  if (!Number.isInteger(weight) || weight < 1 || weight > 1000) throw new InvalidArgumentError("From 1 to 1000.");
  return weight;
}

async function add(name: string, flags: AddFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  if (flags.keyStdin === true && flags.billsKey === true) {
    throw usageFailure(
      "One key at a time",
      "--key-stdin is for calls, --bills-key for bills; both read standard input.",
      [`lanthorn provider add ${name} --bills-key < admin-key.txt`],
    );
  }
  const secret = flags.keyStdin === true || flags.billsKey === true ? await keyFromInput() : null;
  const setting = settingOf(flags);
  const added = await withProviderDesk(context, async (desk) => {
    const isThere = (await desk.list()).some(({ id }) => id === name);
    if (isThere && secret === null) {
      throw usageFailure(
        `There is a provider "${name}" already`,
        "Its settings are in lanthorn.yaml, below providers.",
        [`lanthorn provider add ${name} --key-stdin`, `lanthorn provider rm ${name}`],
      );
    }
    if (isThere && Object.keys(setting).length > 0) {
      throw usageFailure(`There is a provider "${name}" already`, "Only a key can be added to it here.", [
        `lanthorn provider add ${name} --key-stdin`,
      ]);
    }
    if (!isThere) await desk.add(name, setting);
    const purpose = flags.billsKey === true ? ("bills" as const) : ("calls" as const);
    const wish = { secret: secret ?? "", purpose, label: flags.label ?? null, weight: flags.weight };
    const key = secret === null ? null : await desk.addKey(name, wish);
    const provider = (await desk.list()).find(({ id }) => id === name);
    if (provider === undefined) throw new CommandFailure(exitCodes.failed, "gone", `"${name}" is not there any more`);
    return { provider, key, isNew: !isThere };
  });
  const { provider, key, isNew } = added;
  output.answer({ provider, key }, () =>
    isNew
      ? `${provider.title} is added as ${name}. Ask for its models as ${name}/<model>.`
      : `A key of ${provider.title} is stored.`,
  );
  if (key !== null)
    output.note(`The key …${key.tail} is for ${key.host} only. It is stored encrypted and not shown again.`);
  if (provider.state === "no-key") output.note(`It has no key yet: ${provider.reason}`);
  output.note(`Try it: lanthorn provider test ${name}`);
}

function settingOf(flags: AddFlags): Readonly<Record<string, unknown>> {
  const { type, baseUrl, dialect, model: models, dataPolicy, region, keyFile } = flags;
  const all = { type, baseUrl, dialect, models, dataPolicy, region, keyFile };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** A key is a line; more than this is something else. */
const mostInputCharacters = 8_192;

async function keyFromInput(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const part of process.stdin) {
    text += String(part);
    if (text.length > mostInputCharacters) break;
  }
  const key = text.trim();
  if (key !== "" && text.length <= mostInputCharacters && !/\s/.test(key)) return key;
  throw usageFailure("No key came on standard input", key === "" ? "It was empty." : "It must be one word.", [
    "lanthorn provider add openai --key-stdin < key.txt",
  ]);
}

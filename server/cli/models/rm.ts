/**
 * `lanthorn models rm`: takes a model away, and never deletes what is not ours. An imported one is forgotten, a file of the data
 * folder is deleted with all its parts, one that the settings name is left to whoever wrote them.
 */
import type { Command } from "commander";
import type { Ownership } from "../../../models/ownership.ts";
import { closest } from "../../config/closest.ts";
import type { DataPaths } from "../../platform/paths.ts";
import { withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { bytesText, plural } from "../format.ts";
import { findServer, type ServerAddress } from "../server-address.ts";
import { printable } from "../text.ts";

export const removeExamples = [
  ["lanthorn models rm big-coder", "deletes its files, after asking"],
  ["lanthorn models rm qwen2.5-coder:7b", "an imported one: forgotten here, its file stays where it is"],
] as const;

export function defineRemove(command: Command, context: CommandContext): void {
  command
    .command("rm <model>")
    .description("take a model away; what other tools own is only forgotten")
    .option("--yes", "do not ask")
    .action((alias: string, flags: { readonly yes?: true }) => remove(alias, flags.yes === true, context));
}

interface Manner {
  /** Do not ask. */
  readonly yes: boolean;
  /** Called once it is sure that something is going to be taken away. */
  free(): Promise<void>;
}

interface Removed {
  readonly alias: string;
  readonly done: "forgotten" | "deleted";
  /** Names of the files that are gone; none for a forgotten model. */
  readonly files: readonly string[];
  readonly bytes: number;
}

async function remove(alias: string, yes: boolean, context: CommandContext): Promise<void> {
  const { dataPaths } = await import("../../platform/paths.ts");
  const paths = dataPaths(context.environment);
  const server = serverHere(context);
  const owner = await lookUp(alias, paths, context);
  const free = async () => {
    if (server !== null) await freeFromServer(alias, server, context);
  };
  const removed = await carryOut(alias, owner, { yes, free }, paths, context);
  if (server !== null) await withClient(server, (await import("./in-memory.ts")).rescan);
  context.output.answer(removed, () =>
    removed.done === "forgotten"
      ? `${printable(alias)} is forgotten. Its file stays where it is.`
      : `${printable(alias)} is deleted: ${plural(removed.files.length, "file")}, ${bytesText(removed.bytes)}.`,
  );
}

/** The server of this data folder; null: none runs. */
function serverHere({ environment }: CommandContext): ServerAddress | null {
  const address = findServer(environment);
  if (address !== null && address.pid === null) {
    throw new CommandFailure(exitCodes.usage, "elsewhere", "Models are removed on their own box", {
      why: `LANTHORN_URL names ${address.url}, whose files are not this machine's.`,
      next: ["unset LANTHORN_URL"],
    });
  }
  return address;
}

/** Has the model's memory freed, so that nothing holds its files; refuses while somebody uses it. */
async function freeFromServer(alias: string, address: ServerAddress, context: CommandContext): Promise<void> {
  const { readBoxState } = await import("../box-state.ts");
  const { models } = await withClient(address, readBoxState);
  if (!models.some((model) => model.id === alias)) return;
  const { actAndFollow } = await import("./in-memory.ts");
  try {
    const isOut = ({ state }: { readonly state: string }) => state === "unloaded" || state === "failed";
    await actAndFollow(alias, "unload", context, { wait: false }, isOut);
  } catch (thrown) {
    const failure = asCommandFailure(thrown);
    if (failure.code !== "model_busy") throw failure;
    throw new CommandFailure(exitCodes.noRoom, "in_use", `The running server is answering with ${printable(alias)}`, {
      why: "Nothing was deleted.",
      next: [`lanthorn models unload ${alias} --wait`, `lanthorn models rm ${alias}`],
      cause: thrown,
    });
  }
}

async function lookUp(alias: string, paths: DataPaths, { environment, workingFolder }: CommandContext) {
  const { readdir } = await import("node:fs/promises");
  const { loadConfig } = await import("../../config/load.ts");
  const { ownershipOf } = await import("../../../models/ownership.ts");
  const { readImports } = await import("../../../models/imports.ts");
  const { voices } = await import("../../../models/demo/voices.ts");
  const { values, origins } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
  const fileNames = await readdir(paths.models).catch(() => []);
  const imports = readImports(paths.models) ?? [];
  const facts = { entries: values.models, fileNames, imports, demoAlias: voices.demo.alias };
  return { owner: ownershipOf(alias, facts), origins };
}

async function carryOut(
  alias: string,
  { owner, origins }: { readonly owner: Ownership; readonly origins: Readonly<Record<string, string>> },
  how: Manner,
  paths: DataPaths,
  context: CommandContext,
): Promise<Removed> {
  switch (owner.kind) {
    case "none":
      throw noSuchModel(alias, owner.aliases);
    case "demo":
      throw new CommandFailure(exitCodes.usage, "demo", `${alias} is the demo model`, {
        why: "The server writes it anew at every start.",
      });
    case "configured":
      throw await configured(alias, owner.index, origins[`models[${owner.index}]`] ?? "file", paths);
    case "imported": {
      await how.free();
      const { forgetImport } = await import("../../../models/imports.ts");
      forgetImport(paths.models, owner.model.alias);
      return { alias, done: "forgotten", files: [], bytes: 0 };
    }
    case "owned":
      return deleteFiles(alias, owner.fileNames, how, paths, context);
  }
}

async function deleteFiles(
  alias: string,
  fileNames: readonly string[],
  { yes, free }: Manner,
  paths: DataPaths,
  { canAsk }: CommandContext,
): Promise<Removed> {
  const { lstat, unlink } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const files: { readonly name: string; readonly path: string; readonly bytes: number }[] = [];
  for (const name of fileNames) {
    const path = join(paths.models, name);
    // Of the link itself where it is one: what it leads to is somebody else's and stays.
    const found = await lstat(path);
    if (found.isDirectory()) continue;
    files.push({ name, path, bytes: found.isFile() ? found.size : 0 });
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const [first] = files;
  if (first === undefined) {
    throw new CommandFailure(exitCodes.failed, "not_a_file", `${printable(alias)} is a folder`, {
      why: "Only files are deleted.",
    });
  }
  const more = files.length > 1 ? ` and ${plural(files.length - 1, "more part")}` : "";
  await confirm({
    text: `Delete ${printable(first.name)}${more} (${bytesText(bytes)})?`,
    yes,
    canAsk,
    command: `lanthorn models rm ${alias} --yes`,
  });
  await free();
  for (const { path } of files) await unlink(path);
  return { alias, done: "deleted", files: files.map(({ name }) => name), bytes };
}

async function configured(alias: string, index: number, origin: string, paths: DataPaths): Promise<CommandFailure> {
  const { modelLine } = await import("../../config/model-line.ts");
  const line = origin === "file" ? modelLine(paths.config, index) : null;
  const where = origin === "file" ? `${paths.config}${line === null ? "" : `, line ${line}`}` : origin;
  return new CommandFailure(exitCodes.usage, "configured", `${printable(alias)} is named in the settings`, {
    why: `Take it out there: ${where}. Its file is yours and is not touched.`,
    next: [
      origin === "file" ? `"$EDITOR" ${line === null ? "" : `+${line} `}"${paths.config}"` : "unset LANTHORN_MODELS",
    ],
  });
}

function noSuchModel(alias: string, aliases: readonly string[]): CommandFailure {
  const near = closest(alias, aliases);
  return new CommandFailure(exitCodes.noSuchThing, "no_such_model", `There is no model ${printable(alias)} here`, {
    why: near === null ? "" : `Did you mean ${near}?`,
    next: ["lanthorn models list"],
  });
}

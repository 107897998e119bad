/**
 * `lanthorn models import`: models that other tools fetched, served from where they lie. Nothing is copied or changed there; each
 * file's header is validated first, and again at every start of the server.
 */
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import type { FoundModel, FoundProblem } from "../../../models/import/source.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure, usageFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { bytesText, plural, unknownMark } from "../format.ts";
import { findServer } from "../server-address.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";

export const importExamples = [
  ["lanthorn models import ollama", "what Ollama has, without copying it"],
  ["lanthorn models import hub --list", "shows what is there and imports nothing"],
  ["lanthorn models import /mnt/models coder-7b", "one model of any folder"],
] as const;

/** As in `models/import/index.ts`, which is loaded only when the command runs. */
const words = "ollama, lm-studio, hub, llama.cpp, or a folder";

export function defineImport(command: Command, context: CommandContext): void {
  command
    .command("import <from> [models...]")
    .description(`serve models where other tools keep them: ${words}`)
    .option("--list", "show them, import nothing")
    .action((from: string, only: readonly string[], flags: { readonly list?: true }) =>
      importModels(from, only, flags.list === true, context),
    );
}

/** One model of the answer. */
interface Shown {
  readonly alias: string;
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly state: "found" | "imported" | "known" | "refused";
  /** Why it is refused; empty otherwise. */
  readonly reason: string;
}

interface Place {
  readonly source: string;
  readonly title: string;
  readonly folder: string;
  readonly models: readonly FoundModel[];
  readonly problems: readonly FoundProblem[];
}

async function look(from: string, { environment, workingFolder }: CommandContext): Promise<readonly Place[]> {
  const { homedir } = await import("node:os");
  const { stat } = await import("node:fs/promises");
  const { importSources, isImportSource } = await import("../../../models/import/index.ts");
  const isFolder = async (path: string) => (await stat(path).catch(() => null))?.isDirectory() === true;
  const isWord = isImportSource(from) && from !== "folder";
  const id = isWord ? from : "folder";
  const source = importSources[id];
  const home = environment.HOME || environment.USERPROFILE || homedir();
  const folders = isWord
    ? source.folders({ environment, platform: process.platform, home })
    : [resolve(workingFolder, from.replace(/^~(?=$|[\\/])/, home))];
  const places: Place[] = [];
  for (const folder of folders) {
    if (!(await isFolder(folder))) continue;
    places.push({ source: id, title: source.title, folder, ...(await source.find(folder)) });
  }
  if (places.length > 0) return places;
  const path = from.includes("\0") ? "this name" : from;
  throw new CommandFailure(
    exitCodes.noSuchThing,
    "nothing_to_import",
    isWord ? `${source.title} keeps no models here` : `There is no folder ${printable(path)}`,
    {
      why: isWord ? `Looked in ${folders.join(", ")}.` : `Known by name are ${words}.`,
      next: isWord ? ["lanthorn models import <folder>"] : ["lanthorn models import ollama --list"],
    },
  );
}

async function importModels(
  from: string,
  only: readonly string[],
  listOnly: boolean,
  context: CommandContext,
): Promise<void> {
  const { output, environment } = context;
  const { createDataFolder, dataPaths } = await import("../../platform/paths.ts");
  const { addImports, readImports } = await import("../../../models/imports.ts");
  const { describeModel, listModels } = await import("../../../models/store.ts");
  const { loadConfig } = await import("../../config/load.ts");
  const places = await look(from, context);
  const paths = dataPaths(environment);
  const { values } = loadConfig({ file: paths.config, environment, flags: [], workingFolder: context.workingFolder });
  const { files } = await listModels({ folder: paths.models, entries: values.models });
  const known = readImports(paths.models) ?? [];
  const shown: Shown[] = [];
  const added: Parameters<typeof addImports>[1][number][] = [];
  /** Alias → the file that has it. */
  const taken = new Map(files.map((file) => [file.alias, file.path]));
  for (const { folder, source, models, problems } of places) {
    for (const { alias, name, path } of models) {
      if (only.length > 0 && !only.includes(alias) && !only.includes(name)) continue;
      const described =
        (taken.get(alias) ?? path) === path
          ? await describeModel({ path, alias })
          : `its alias is already that of ${basename(taken.get(alias) ?? "")}`;
      const isKnown = known.some((one) => one.alias === alias && one.path === path);
      const refused = typeof described === "string";
      if (!refused) taken.set(alias, path);
      if (!refused && !isKnown) added.push({ alias, path, root: folder, source, name, importedAtMs: Date.now() });
      const state = refused ? "refused" : isKnown ? "known" : listOnly ? "found" : "imported";
      shown.push({
        alias,
        name,
        sizeBytes: refused ? null : described.sizeBytes,
        state,
        reason: refused ? described : "",
      });
    }
    if (only.length === 0) {
      for (const { name, reason } of problems)
        shown.push({ alias: unknownMark, name, sizeBytes: null, state: "refused", reason });
    }
  }
  const missing = only.filter((wanted) => !shown.some((one) => one.alias === wanted || one.name === wanted));
  if (missing.length > 0) {
    throw usageFailure(`There is no ${missing.map(printable).join(", ")} to import`, "", [
      `lanthorn models import ${from} --list`,
    ]);
  }
  if (!listOnly && added.length > 0) {
    createDataFolder(paths);
    addImports(paths.models, added);
  }
  output.answer(shown, () => (shown.length === 0 ? "No models there." : tableText(columns, shown)));
  if (listOnly || added.length === 0) return;
  output.note(`${plural(added.length, "model")} imported; nothing was copied.`);
  const address = findServer(environment);
  // Another box's server does not see this machine's files.
  if (address === null || address.pid === null) return;
  const { withClient } = await import("../client.ts");
  const { rescan } = await import("./in-memory.ts");
  await withClient(address, rescan);
  output.note("The running server serves them now.");
}

const columns: readonly Column<Shown>[] = [
  { title: "ALIAS", of: (one) => one.alias },
  { title: "NAME THERE", of: (one) => one.name },
  { title: "SIZE", of: (one) => (one.sizeBytes === null ? unknownMark : bytesText(one.sizeBytes)), align: "right" },
  { title: "STATE", of: (one) => (one.reason === "" ? one.state : `${one.state}: ${one.reason}`) },
];

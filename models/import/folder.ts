/** Any folder with GGUF files, and the tools that keep theirs in plain folders: LM Studio and llama.cpp. */
import { join } from "node:path";
import { stemOf } from "../split-name.ts";
import { aliasFrom, isModelFile } from "./names.ts";
import type { Findings, FoundModel, FoundProblem, ImportSource } from "./source.ts";
import { walk, type WalkedFile } from "./walk.ts";

/** Folders below the one that was named. */
const depth = 6;

/** Files as models, each named by its place in the folder; `stem` makes the alias. */
export async function findFiles(
  folder: string,
  deep: number,
  stem: (file: WalkedFile) => string = ({ segments }) => stemOf(segments.at(-1) ?? ""),
): Promise<Findings> {
  const { files, problems } = await walk(folder, deep, isModelFile);
  const models: FoundModel[] = [];
  const unnamed: FoundProblem[] = [];
  for (const file of files) {
    const name = file.segments.join("/");
    const alias = aliasFrom(stem(file));
    if (alias === null) unnamed.push({ name, reason: "no alias can be made of its name" });
    else models.push({ alias, name, path: file.path });
  }
  return { models, problems: [...problems, ...unnamed] };
}

export const folder: ImportSource = {
  title: "the folder",
  folders: () => [],
  find: (path) => findFiles(path, depth),
};

/** publisher/model/file.gguf. */
export const lmStudio: ImportSource = {
  title: "LM Studio",
  folders: ({ home }) => [join(home, ".lmstudio", "models"), join(home, ".cache", "lm-studio", "models")],
  find: (path) => findFiles(path, 2),
};

/** Files beside each other, `owner_name_file.gguf`. */
export const llamaCpp: ImportSource = {
  title: "llama.cpp",
  folders: ({ environment, platform, home }) => {
    if (environment.LLAMA_CACHE) return [environment.LLAMA_CACHE];
    if (platform === "darwin") return [join(home, "Library", "Caches", "llama.cpp")];
    if (platform === "win32") return [join(environment.LOCALAPPDATA || join(home, "AppData", "Local"), "llama.cpp")];
    return [join(environment.XDG_CACHE_HOME || join(home, ".cache"), "llama.cpp")];
  },
  find: (path) => findFiles(path, 0),
};

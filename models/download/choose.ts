/** Which files of a repository make the model that was asked for. Pure. */
import type { RepositoryFile } from "./hub/repository.ts";
import { DownloadTrouble, never } from "./trouble.ts";

export type Choice =
  /** A path in the repository; a part of a split model stands for all of them. */
  | { readonly kind: "path"; readonly path: string }
  /** `q4_k_m`; null: whatever there is only one of, else the one that most people take. */
  | { readonly kind: "quantization"; readonly quantization: string | null };

/** What most people take, when nothing was said. */
const usual = "q4_k_m";

const splitPath = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** One model: a file, or its parts in order. */
interface Group {
  readonly stem: string;
  readonly files: readonly RepositoryFile[];
}

/** Whole models only: parts without their siblings, and projectors of vision models, are none. */
function groupsOf(files: readonly RepositoryFile[]): Group[] {
  const groups: Group[] = [];
  const sets = new Map<string, RepositoryFile[]>();
  for (const file of files) {
    if (!/\.gguf$/i.test(file.path) || /(^|[/.-])mmproj/i.test(file.path)) continue;
    const split = splitPath.exec(file.path);
    if (split === null) groups.push({ stem: file.path.replace(/\.gguf$/i, ""), files: [file] });
    else {
      const key = `${split[1]}-of-${split[3]}`;
      sets.set(key, [...(sets.get(key) ?? []), file]);
    }
  }
  for (const parts of sets.values()) {
    const [, stem = "", , count] = splitPath.exec(parts[0]?.path ?? "") ?? [];
    const sorted = [...parts].sort((left, right) => (left.path < right.path ? -1 : 1));
    if (sorted.length === Number(count)) groups.push({ stem, files: sorted });
  }
  return groups;
}

function hasQuantization(group: Group, quantization: string): boolean {
  const name = group.stem.toLowerCase();
  const wanted = quantization.toLowerCase();
  // Between separators, so that q4_k does not find q4_k_m.
  return new RegExp(`(^|[/.-])(ud-)?${wanted.replace(/[^a-z0-9_]/g, "\\$&")}($|[/.-])`).test(name);
}

/** The files, in order. Throws DownloadTrouble `not_found` that says what there is. */
export function chooseFiles(files: readonly RepositoryFile[], choice: Choice, repository: string): readonly RepositoryFile[] {
  const groups = groupsOf(files);
  if (choice.kind === "path") {
    const found = groups.find((group) => group.files.some((file) => file.path === choice.path));
    if (found !== undefined) return found.files;
    throw notThere(`${repository} has no whole model ${choice.path}.`, groups, repository);
  }
  const { quantization } = choice;
  const only = groups.length === 1 && quantization === null ? groups : [];
  const fitting = only.length > 0 ? only : groups.filter((group) => hasQuantization(group, quantization ?? usual));
  // The same model also in parts: the one file is taken, or everything would be fetched twice.
  const whole = fitting.filter((group) => group.files.length === 1);
  const [found, ...others] = whole.length > 0 ? whole : fitting;
  if (found === undefined) {
    throw notThere(`${repository} has no GGUF ${quantization === null ? "that can be told from its others" : `in ${quantization}`}.`, groups, repository);
  }
  if (others.length > 0) throw notThere(`Several models of ${repository} are meant by that.`, [found, ...others], repository);
  return found.files;
}

/** Names shown at most. */
const mostShown = 8;

function notThere(message: string, groups: readonly Group[], repository: string): DownloadTrouble {
  const paths = groups.map((group) => group.files[0]?.path ?? "").slice(0, mostShown);
  return new DownloadTrouble("not_found", never, message, {
    why: paths.length === 0 ? "There is no GGUF in it." : `There is: ${paths.join(", ")}.`,
    next: paths.slice(0, 2).map((path) => `lanthorn models pull ${repository}/${path}`),
  });
}

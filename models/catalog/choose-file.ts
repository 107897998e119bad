/**
 * Which files of a repository are meant: one GGUF, or the parts of one. Pure; runs in the server process and in commands. A
 * repository holds many quantizations, sometimes the same one whole and in parts, and files that are no models.
 */
import { mostParts, splitNameOf } from "../split-name.ts";
import type { WantedFile } from "./name.ts";
import { pathProblem } from "./name-rules.ts";

export interface RepositoryFile {
  /** In its repository, with `/` between folders. */
  readonly path: string;
}

export type FileChoice<File> =
  | {
      readonly kind: "chosen";
      /** One file, or all parts in order. */
      readonly files: readonly File[];
      /** `Q4_K_M`, as the name writes it but in capitals; null: the name does not say. */
      readonly quantization: string | null;
    }
  /** The end of a sentence, with what there is instead. */
  | { readonly kind: "none"; readonly reason: string; readonly quantizations: readonly string[] };

/** One model: a whole file or a complete set of parts. */
interface Candidate<File> {
  readonly files: readonly File[];
  /** Without `-00001-of-00003` and `.gguf`, in small letters: the same for a file and its split twin. */
  readonly stem: string;
  readonly path: string;
  readonly quantization: string | null;
  readonly isModel: boolean;
}

/** What is taken when nobody says: a good model for its size first, then what is nearest. */
const usualOrder = [
  "Q4_K_M",
  "UD-Q4_K_XL",
  "MXFP4",
  "Q4_K_S",
  "Q4_0",
  "IQ4_XS",
  "IQ4_NL",
  "Q5_K_M",
  "Q5_K_S",
  "Q5_0",
  "Q6_K",
  "Q8_0",
  "Q3_K_M",
  "BF16",
  "F16",
  "F32",
] as const;

const quantizationPattern =
  /(?<![A-Za-z0-9])((?:UD-)?I?Q[1-9](?:_[A-Z0-9]+)*|TQ[12]_0|BF16|FP?16|FP?32|MXFP4(?:_MOE)?|NVFP4)(?![A-Za-z0-9])/gi;

/** The last one a name holds, in capitals: `qwen-7b-q4_k_m` → `Q4_K_M`. */
export function quantizationOf(text: string): string | null {
  const found = [...text.matchAll(quantizationPattern)].at(-1)?.[1];
  return found === undefined ? null : found.toUpperCase().replace(/^FP(?=16|32)/, "F");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function candidateOf<File extends RepositoryFile>(files: readonly File[], stemPath: string): Candidate<File> {
  const name = baseName(stemPath);
  const folder = stemPath.slice(0, stemPath.length - name.length);
  const quantization = quantizationOf(name) ?? quantizationOf(folder);
  // Projectors, and the statistics that quantization is made with. Their names carry both words for real quantizations too.
  const isModel = !/mmproj/i.test(name) && !(/imatrix/i.test(name) && quantizationOf(name) === null);
  return { files, stem: name.toLowerCase(), path: files[0]?.path ?? stemPath, quantization, isModel };
}

function candidatesOf<File extends RepositoryFile>(files: readonly File[]): Candidate<File>[] {
  const parts = new Map<string, File[]>();
  const found: Candidate<File>[] = [];
  for (const file of files) {
    if (pathProblem(file.path) !== null) continue;
    const split = splitNameOf(file.path);
    if (split === null) found.push(candidateOf([file], file.path.replace(/\.gguf$/i, "")));
    else {
      const key = `${split.stem}-of-${split.count}`;
      parts.set(key, [...(parts.get(key) ?? []), file]);
    }
  }
  for (const group of parts.values()) {
    const numbered = group.map((file) => ({ file, split: splitNameOf(file.path) }));
    numbered.sort((a, b) => (a.split?.part ?? 0) - (b.split?.part ?? 0));
    const [first] = numbered;
    const count = first?.split?.count ?? 0;
    const isComplete =
      count <= mostParts &&
      numbered.length === count &&
      numbered.every(({ split }, index) => split?.part === index + 1);
    if (isComplete)
      found.push(
        candidateOf(
          numbered.map(({ file }) => file),
          first?.split?.stem ?? "",
        ),
      );
  }
  return found;
}

/** Whole before split, at the top before in a folder, then by name: of twins the first is taken. */
function inOrder<File>(a: Candidate<File>, b: Candidate<File>): number {
  const depth = (path: string): number => path.split("/").length;
  return (
    a.files.length - b.files.length || depth(a.path) - depth(b.path) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)
  );
}

/** The same model is often there in several shapes; only the first of each stays. */
function withoutTwins<File>(candidates: readonly Candidate<File>[]): Candidate<File>[] {
  const seen = new Set<string>();
  return [...candidates].sort(inOrder).filter(({ stem }) => !seen.has(stem) && seen.add(stem));
}

const shownNames = 8;

function someOf(names: readonly string[]): string {
  const more = names.length - shownNames;
  return `${names.slice(0, shownNames).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Every quantization there is, each once, in the order of the alphabet. */
export function quantizationsOf(files: readonly RepositoryFile[]): string[] {
  const found = candidatesOf(files).flatMap(({ isModel, quantization }) =>
    isModel && quantization !== null ? [quantization] : [],
  );
  return [...new Set(found)].sort();
}

/** Names that could not be a file here, parts that are not complete, projectors and statistics are never chosen by themselves. */
export function chooseFile<File extends RepositoryFile>(files: readonly File[], wanted: WantedFile): FileChoice<File> {
  const all = candidatesOf(files);
  const models = withoutTwins(all.filter(({ isModel }) => isModel));
  const quantizations = quantizationsOf(files);
  const chosen = ({ files: parts, quantization }: Candidate<File>): FileChoice<File> => ({
    kind: "chosen",
    files: parts,
    quantization,
  });
  const none = (reason: string): FileChoice<File> => ({ kind: "none", reason, quantizations });

  if (wanted.kind === "file") {
    const holds = (same: (path: string) => boolean) => all.filter((one) => one.files.some(({ path }) => same(path)));
    const exact = holds((path) => path === wanted.path);
    const alike = exact.length > 0 ? exact : holds((path) => path.toLowerCase() === wanted.path.toLowerCase());
    const [only] = alike;
    if (only !== undefined && alike.length === 1) return chosen(only);
    if (only !== undefined) return none("several files have that name in other capitals");
    return none("there is no such file, or not all of its parts");
  }
  if (models.length === 0) return none("it holds no GGUF model");

  const matching = (quantization: string) => models.filter((one) => one.quantization === quantization);
  if (wanted.kind === "quantization") {
    const asked = quantizationOf(wanted.quantization) ?? wanted.quantization.toUpperCase();
    const [only, ...others] = matching(asked);
    if (only === undefined) {
      const there = quantizations.length === 0 ? "" : `; there are ${someOf(quantizations)}`;
      return none(`it has no ${asked}${there}`);
    }
    if (others.length === 0) return chosen(only);
    return none(`several files are ${asked}: ${someOf([only, ...others].map(({ path }) => path))}`);
  }
  const [single, ...further] = models;
  if (single !== undefined && further.length === 0) return chosen(single);
  for (const quantization of usualOrder) {
    const [only, ...others] = matching(quantization);
    if (only === undefined) continue;
    if (others.length === 0) return chosen(only);
    return none(`several files are ${quantization}: ${someOf([only, ...others].map(({ path }) => path))}`);
  }
  return none(`none of its files is the usual one: ${someOf(models.map(({ path }) => path))}`);
}

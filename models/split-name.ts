/** Names of models that were split into several files: `coder-00001-of-00003.gguf`. Pure. */

export interface SplitName {
  /** What comes before the numbers; of a path with its folders. */
  readonly stem: string;
  readonly part: number;
  readonly count: number;
}

const splitPattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** More parts than any model has; a file name may claim 99,999. */
export const mostParts = 256;

/** Of a file's name or path; null: a whole model. */
export function splitNameOf(fileName: string): SplitName | null {
  const match = splitPattern.exec(fileName);
  if (match === null) return null;
  return { stem: match[1] ?? "", part: Number(match[2]), count: Number(match[3]) };
}

/** `coder-00001-of-00003.gguf` → `coder`, `coder.gguf` → `coder`. */
export function stemOf(fileName: string): string {
  return splitNameOf(fileName)?.stem ?? fileName.replace(/\.gguf$/i, "");
}

/** `part` counts from 1. */
export function partFileName({ stem, count }: Pick<SplitName, "stem" | "count">, part: number): string {
  const padded = (number: number): string => String(number).padStart(5, "0");
  return `${stem}-${padded(part)}-of-${padded(count)}.gguf`;
}

/** All parts of the model that a file is one of, `mostParts` at the most; the file itself where it is whole. */
export function allParts(fileName: string): readonly string[] {
  const split = splitNameOf(fileName);
  if (split === null) return [fileName];
  return Array.from({ length: Math.min(split.count, mostParts) }, (_, at) => partFileName(split, at + 1));
}

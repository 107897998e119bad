/** Names of other tools' files as aliases of ours, and which files are models. Pure. */
import { splitNameOf } from "../split-name.ts";

const aliasBytes = 200;

/** The same rule as `aliasName` of the configuration: one word, without commas. */
const aliasPattern = /^[^\s\p{Cc}\p{Cs},]+$/u;

/** What a model is served under: its name in small letters, spaces and commas as `-`. Null: no such name can be made. */
export function aliasFrom(name: string): string | null {
  const alias = name
    .trim()
    .toLowerCase()
    .replace(/[\s,]+/gu, "-");
  // Characters that hide or turn text round could pretend to be another model.
  if (!aliasPattern.test(alias) || /\p{Cf}/u.test(alias)) return null;
  return Buffer.byteLength(alias) <= aliasBytes ? alias : null;
}

/** A GGUF that is a model by its name: no further part, projector or quantization statistics. */
export function isModelFile(fileName: string): boolean {
  if (!/\.gguf$/i.test(fileName) || fileName.startsWith(".")) return false;
  const split = splitNameOf(fileName);
  if (split !== null && split.part !== 1) return false;
  return !/mmproj/i.test(fileName) && !/(?:^|[-_.])imatrix\.gguf$/i.test(fileName);
}

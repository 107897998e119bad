/**
 * Ollama's store: a manifest per model and tag names the blobs it is made of, by their hashes. Only the blob with the weights
 * is taken, and only when nothing else would be needed to make the same model of it.
 */
import { join } from "node:path";
import { z } from "zod";
import { aliasFrom } from "./names.ts";
import type { Findings, FoundModel, FoundProblem, ImportSource } from "./source.ts";
import { placeProblem, readSmallFile, walk } from "./walk.ts";

/** registry/namespace/model/tag. */
const manifestDepth = 4;
const manifestBytes = 256 * 1024;

const manifestShape = z.object({
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string() })).max(1000),
});

const weights = "application/vnd.ollama.image.model";
const adapter = "application/vnd.ollama.image.adapter";

/** `sha256:` and 64 hex digits: anything else could be a path (CVE-2024-37032). */
const digestPattern = /^sha256[:-]([0-9a-f]{64})$/;

/** The blob's file name, or why there is none. */
function blobOf(text: string | null): { readonly fileName: string } | string {
  let content: unknown;
  try {
    content = JSON.parse(text ?? "");
  } catch {
    return "its manifest cannot be read";
  }
  const parsed = manifestShape.safeParse(content);
  if (!parsed.success) return "its manifest is not of a shape that is known";
  const { layers } = parsed.data;
  if (layers.some(({ mediaType }) => mediaType === adapter)) return "it is a model with an adapter (LoRA) on it";
  const [only, ...others] = layers.filter(({ mediaType }) => mediaType === weights);
  if (only === undefined) return "its manifest names no weights";
  if (others.length > 0) return "its weights are in several blobs";
  const hex = digestPattern.exec(only.digest)?.[1];
  return hex === undefined
    ? "its manifest names a blob by something that is no SHA-256"
    : { fileName: `sha256-${hex}` };
}

/** `qwen2.5-coder:7b`; namespaces other than the registry's own stay in front. */
function nameOf(segments: readonly string[]): string | null {
  const [, namespace, model, tag] = segments;
  if (segments.length !== manifestDepth || namespace === undefined || model === undefined || tag === undefined)
    return null;
  return `${namespace === "library" ? "" : `${namespace}/`}${model}:${tag}`;
}

async function find(folder: string): Promise<Findings> {
  const root = join(folder, "manifests");
  const { files, problems } = await walk(root, manifestDepth - 1, (name) => !name.startsWith("."));
  const models: FoundModel[] = [];
  const refused: FoundProblem[] = [];
  for (const { path, segments } of files) {
    const name = nameOf(segments);
    if (name === null) continue;
    const alias = aliasFrom(name);
    if (alias === null) {
      refused.push({ name, reason: "no alias can be made of its name" });
      continue;
    }
    const blob = blobOf(await readSmallFile(path, manifestBytes));
    if (typeof blob === "string") {
      refused.push({ name, reason: blob });
      continue;
    }
    const blobPath = join(folder, "blobs", blob.fileName);
    const problem = await placeProblem(folder, blobPath);
    if (problem === null) models.push({ alias, name, path: blobPath });
    else refused.push({ name, reason: problem === "there is no such file" ? "its blob is missing" : problem });
  }
  return { models, problems: [...problems, ...refused] };
}

export const ollama: ImportSource = {
  title: "Ollama",
  folders: ({ environment, platform, home }) => {
    if (environment.OLLAMA_MODELS) return [environment.OLLAMA_MODELS];
    const own = join(home, ".ollama", "models");
    // As a service on Linux it has a user of its own.
    return platform === "linux" ? [own, "/usr/share/ollama/.ollama/models"] : [own];
  },
  find,
};

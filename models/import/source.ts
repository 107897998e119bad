/**
 * What an import source is: another tool's folder of models, and how to find GGUF files in it without changing anything. Pure
 * types. What lies there was written by others: names, digests and links are hostile until looked at.
 */

/** A model that can be served from where it lies. */
export interface FoundModel {
  /** What it would be served under. */
  readonly alias: string;
  /** As the tool calls it: `qwen2.5-coder:7b`, `owner/name/file.gguf`. */
  readonly name: string;
  /** The file, absolute; of a model in parts the first one. */
  readonly path: string;
}

/** Something there that cannot be served. */
export interface FoundProblem {
  /** Without the folder. */
  readonly name: string;
  /** The end of a sentence: "its blob is missing". */
  readonly reason: string;
}

export interface Findings {
  readonly models: readonly FoundModel[];
  readonly problems: readonly FoundProblem[];
}

/** What decides where a tool keeps its models. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's own folder. */
  readonly home: string;
}

export interface ImportSource {
  /** `Ollama`. */
  readonly title: string;
  /** Where it keeps models, likeliest first; none need exist. */
  folders(surroundings: Surroundings): readonly string[];
  /** Looks at one folder. Throws nothing for what lies in it; an absent folder has no findings. */
  find(folder: string): Promise<Findings>;
}

/**
 * Puts the settings together: defaults, then `lanthorn.yaml`, then the environment, then flags; the later one wins, and
 * each value keeps where it came from. Runs in the server and the CLI, once, at the start.
 */
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import { Failure } from "../domain/failure.ts";
import { closest } from "./closest.ts";
import { readConfigFile } from "./file.ts";
import { type Leaf, leaves } from "./leaves.ts";
import { type Config, type ModelSetting, configSchema } from "./schema.ts";
import { readTextValue } from "./text-value.ts";

export type Origin = "default" | "file" | `environment ${string}` | `flag ${string}`;

export interface FlagSetting {
  /** `engine.threads` */
  readonly path: string;
  /** `--threads`, for messages. */
  readonly flag: string;
  /** Text is read like an environment variable; anything else must have the setting's own type. */
  readonly value: unknown;
}

export interface ConfigSources {
  /** Path of `lanthorn.yaml`; it need not exist. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly FlagSetting[];
  /** Relative model files of flags and environment start here; those of the file start in the file's own folder. */
  readonly workingFolder: string;
}

export interface ResolvedConfig {
  readonly values: Config;
  /** By setting (`engine.threads`); entries of `models` have their own (`models[0]`). */
  readonly origins: Readonly<Record<string, Origin>>;
  /** Sentences for the log: variables that look like settings and are none. */
  readonly warnings: readonly string[];
}

/** Variables that are no settings but mean something to us. */
const otherVariables: readonly string[] = Object.freeze([
  "LANTHORN_HOME",
  "LANTHORN_URL",
  "LANTHORN_API_KEY",
  "LANTHORN_ADMIN_KEY",
  "LANTHORN_FIRST_KEY",
  "LANTHORN_FINGERPRINT",
  "LANTHORN_MASTER_KEY_FILE",
]);

/** Keys of providers and markets: `LANTHORN_PROVIDER_OPENAI_KEY`, `LANTHORN_MARKET_VAST_KEY`. */
const keyVariable = /^LANTHORN_(?:PROVIDER|MARKET)_[A-Z0-9_]+_KEY$/;

/** Values on their way to the schema: sections hold settings. */
type Draft = Record<string, unknown>;

function put(draft: Draft, segments: readonly string[], value: unknown): void {
  const [first, ...rest] = segments;
  if (first === undefined) return;
  if (rest.length === 0) {
    draft[first] = value;
    return;
  }
  const section: Draft = { ...(draft[first] as Draft | undefined) };
  put(section, rest, value);
  draft[first] = section;
}

/** Where a text came from, and how to take it back. */
interface Source {
  readonly words: string;
  readonly next: string;
  readonly origin: Origin;
}

/** One value from the environment or a flag. Throws when it does not fit, naming where it came from. */
function readFrom(leaf: Leaf, raw: unknown, source: Source): unknown {
  const read = readTextValue(leaf, raw);
  if (read.good) return read.value;
  throw new Failure("cannot_start", `${source.words} cannot be used as given.`, {
    why: `${read.problem}.`,
    next: [source.next],
    param: leaf.path,
  });
}

function warningsFor(environment: ConfigSources["environment"]): readonly string[] {
  const known = [...leaves().map((leaf) => leaf.variable), ...otherVariables];
  return Object.keys(environment)
    .filter((name) => name.startsWith("LANTHORN_") && !known.includes(name) && !keyVariable.test(name))
    .map((name) => {
      const meant = closest(name, known);
      return `${name} is not a setting.${meant === null ? "" : ` Did you mean ${meant}?`}`;
    });
}

function absolute(model: ModelSetting, folder: string): ModelSetting {
  return { ...model, path: resolve(folder, model.path.replace(/^~(?=[\\/])/, homedir())) };
}

/**
 * All settings, complete and checked. Reads one file, nothing else. Throws Failure `cannot_start` whose `why` names the
 * setting and the file's line, the variable or the flag.
 */
export function loadConfig(sources: ConfigSources): ResolvedConfig {
  const file = readConfigFile(sources.file);
  const draft: Draft = { ...file.values };
  const origins: Record<string, Origin> = {};
  const models = file.values.models.map((model) => absolute(model, dirname(sources.file)));
  const modelOrigins: Origin[] = models.map(() => "file");

  const take = (leaf: Leaf, raw: unknown, source: Source) => {
    const value = readFrom(leaf, raw, source);
    if (leaf.path === "models") {
      // Models add up: a flag serves one more, it does not silence the others.
      for (const model of value as readonly ModelSetting[]) {
        models.push(absolute(model, sources.workingFolder));
        modelOrigins.push(source.origin);
      }
      return;
    }
    put(draft, leaf.segments, value);
    origins[leaf.path] = source.origin;
  };

  for (const leaf of leaves()) {
    origins[leaf.path] = file.has(leaf.segments) ? "file" : "default";
    const text = sources.environment[leaf.variable];
    // Set to nothing means not set: that is how a service file takes a variable back.
    if (text !== undefined && text.trim() !== "") {
      const { variable } = leaf;
      take(leaf, text, {
        words: `The variable ${variable}`,
        next: `unset ${variable}`,
        origin: `environment ${variable}`,
      });
    }
    for (const setting of sources.flags) {
      const { path, flag, value } = setting;
      if (path !== leaf.path) continue;
      take(leaf, value, { words: `The flag ${flag}`, next: "lanthorn help serve", origin: `flag ${flag}` });
    }
  }
  for (const [index, origin] of modelOrigins.entries()) origins[`models[${index}]`] = origin;
  return {
    values: configSchema.parse({ ...draft, models }),
    origins,
    warnings: warningsFor(sources.environment),
  };
}

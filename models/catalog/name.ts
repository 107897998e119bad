/**
 * What somebody meant by a model's name: one of the catalog, one of the Hub, or a file. Pure; runs in the server process and in
 * commands. A name becomes part of addresses and paths, so what could lead elsewhere is refused here, with the reason.
 */
import { closest } from "../../server/config/closest.ts";
import { catalog, catalogEntry } from "./catalog.ts";
import type { CatalogEntry } from "./entry.ts";
import { pathProblem, quantizationProblem, repositoryProblem, revisionProblem, textProblem } from "./name-rules.ts";

/** Which file of a repository. */
export type WantedFile =
  /** The usual one: `chooseFile` has the order. */
  | { readonly kind: "usual" }
  /** As it was typed; compared whatever the case. */
  | { readonly kind: "quantization"; readonly quantization: string }
  /** In its repository, with `/` between folders. */
  | { readonly kind: "file"; readonly path: string };

export interface HubName {
  readonly kind: "hub";
  /** `owner/name`. */
  readonly repository: string;
  /** A commit, tag or branch; null: the newest. */
  readonly revision: string | null;
  readonly wanted: WantedFile;
}

export type ModelName =
  | { readonly kind: "catalog"; readonly entry: CatalogEntry }
  | HubName
  /** A file of this machine, as it was typed. */
  | { readonly kind: "path"; readonly path: string };

export type NameVerdict =
  | ModelName
  /** A harmless name that leads nowhere. `nearest`: the catalog's most similar id, when one is similar. */
  | { readonly kind: "unknown"; readonly reason: string; readonly nearest: string | null }
  /** The end of a sentence: "it holds a zero byte". */
  | { readonly kind: "refused"; readonly reason: string };

export interface NameOptions {
  /**
   * Files of this machine may be meant: `./x.gguf`, `/models/x.gguf`, `x.gguf`, `models/x.gguf`. Only for somebody who sits at it;
   * never for a name that came over the network.
   */
  readonly paths?: boolean;
}

/** The catalog's id that was probably meant. */
function nearestId(text: string): string | null {
  const near = closest(
    text,
    catalog.flatMap(({ id, aliases }) => [id, ...aliases]),
  );
  return near === null ? null : (catalogEntry(near)?.id ?? null);
}

/** Longest path that a system takes, in bytes. */
const pathBytes = 4096;

/** Text that can only be meant as a path; `a/b/c.gguf` is a file on the Hub, `./a/b/c.gguf` one of this machine. */
function looksLikePath(text: string): boolean {
  return (
    /^(?:[/\\~]|\.{1,2}(?:[/\\]|$)|[A-Za-z]:[/\\])/.test(text) || (/\.gguf$/i.test(text) && text.split("/").length <= 2)
  );
}

/** `owner/name`, `owner/name:quant`, `owner/name/file.gguf`, each with `@revision` behind the name. */
function hubName(text: string): HubName | string {
  const match = /^([^/]*)\/([^/@:]*)(?:@([^/:]*))?(?::(.*)|\/(.*))?$/s.exec(text);
  if (match === null) return "it is not of the form owner/name, owner/name:quantization or owner/name/file.gguf";
  const [, owner = "", name = "", revision, quantization, path] = match;
  const problem =
    repositoryProblem(owner, name) ??
    (revision === undefined ? null : revisionProblem(revision)) ??
    (quantization === undefined ? null : quantizationProblem(quantization)) ??
    (path === undefined ? null : pathProblem(path));
  if (problem !== null) return problem;
  const wanted: WantedFile =
    quantization !== undefined
      ? { kind: "quantization", quantization }
      : path !== undefined
        ? { kind: "file", path }
        : { kind: "usual" };
  return { kind: "hub", repository: `${owner}/${name}`, revision: revision ?? null, wanted };
}

/** Another quantization of a model of the catalog: `qwen2.5-coder-7b-instruct:Q8_0`. */
function otherQuantization(text: string): ModelName | string | null {
  const at = text.lastIndexOf(":");
  const entry = at === -1 ? null : catalogEntry(text.slice(0, at));
  if (entry === null) return null;
  const quantization = text.slice(at + 1);
  const problem = quantizationProblem(quantization);
  if (problem !== null) return problem;
  if (quantization.toLowerCase() === entry.quantization.toLowerCase()) return { kind: "catalog", entry };
  const { repository, revision } = entry;
  return { kind: "hub", repository, revision, wanted: { kind: "quantization", quantization } };
}

/** Never throws. The catalog comes first, then paths where they may be meant, then the Hub. */
export function resolveModelName(text: string, options: NameOptions = {}): NameVerdict {
  const entry = catalogEntry(text);
  if (entry !== null) return { kind: "catalog", entry };
  if (options.paths === true && looksLikePath(text)) {
    if (/\p{Cc}/u.test(text)) return { kind: "refused", reason: "it holds a control character" };
    if (Buffer.byteLength(text) > pathBytes) return { kind: "refused", reason: `it is longer than ${pathBytes} bytes` };
    return { kind: "path", path: text };
  }
  const problem = textProblem(text);
  if (problem !== null) return { kind: "refused", reason: problem };
  const other = otherQuantization(text);
  if (other !== null) return typeof other === "string" ? { kind: "refused", reason: other } : other;
  if (!text.includes("/")) {
    const reason = "it is not in the catalog, and a model of the Hub is named owner/name";
    return { kind: "unknown", reason, nearest: nearestId(text) };
  }
  const hub = hubName(text);
  return typeof hub === "string" ? { kind: "refused", reason: hub } : hub;
}

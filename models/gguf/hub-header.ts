/**
 * The shape of a model in a repository of the Hub, from the headers of its files, before anything is downloaded. Runs in
 * commands and in the server.
 */
import { z } from "zod";
import { Failure } from "../../server/domain/failure.ts";
import type { ModelShape } from "../../server/domain/fit/shape.ts";
import type { GgufHeader } from "./format.ts";
import { readRemoteHeader, type RemoteOptions } from "./remote.ts";
import { shapeOf } from "./shape.ts";
import { judgeHeader } from "./validate.ts";

export interface Hub {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | null;
}

export interface HubFiles {
  /** `owner/name`. */
  readonly repository: string;
  readonly revision: string;
  /** One file, or all parts in order. */
  readonly paths: readonly string[];
}

const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export function hubFileUrl(hub: Hub, files: Omit<HubFiles, "paths">, path: string): string {
  return `${hub.endpoint}/${encoded(files.repository)}/resolve/${encodeURIComponent(files.revision)}/${encoded(path)}`;
}

export interface HubModel {
  readonly shape: ModelShape;
  readonly name: string | null;
  /** Of all files, as the Hub sends them. */
  readonly sizeBytes: number;
  readonly fetchedBytes: number;
}

/** Throws Failure `invalid_request` with the end of a sentence about the file. */
export async function readHubModel(
  hub: Hub,
  files: HubFiles,
  options: Omit<RemoteOptions, "token">,
): Promise<HubModel> {
  const [firstPath, ...furtherPaths] = files.paths;
  if (firstPath === undefined) throw new Failure("invalid_request", "it has no files");
  const read = (path: string) => readRemoteHeader(hubFileUrl(hub, files, path), { ...options, token: hub.token });
  const first = await read(firstPath);
  const summary = judgeHeader(first.header, "model");
  if (summary === null) throw new Failure("invalid_request", "it is only a part of a model");
  if (summary.splitCount !== files.paths.length) {
    throw new Failure(
      "invalid_request",
      `it is one of ${summary.splitCount} parts, and ${files.paths.length} are named`,
    );
  }
  const further: GgufHeader[] = [];
  let [sizeBytes, fetchedBytes] = [first.header.fileBytes, first.fetchedBytes];
  for (const path of furtherPaths) {
    const part = await read(path);
    judgeHeader(part.header, "continuation");
    further.push(part.header);
    sizeBytes += part.header.fileBytes;
    fetchedBytes += part.fetchedBytes;
  }
  return { shape: shapeOf(first.header, further), name: summary.name, sizeBytes, fetchedBytes };
}

/** The largest list of files that is read. Bytes. */
const listLimitBytes = 4 * 2 ** 20;
const treeAnswer = z.array(z.object({ type: z.string(), path: z.string().max(1000) }));

/** Paths of the repository's GGUF files. Throws as above. */
export async function listHubFiles(
  hub: Hub,
  repository: string,
  revision: string,
  { upstream, signal }: Omit<RemoteOptions, "token">,
): Promise<readonly string[]> {
  const url = `${hub.endpoint}/api/models/${encoded(repository)}/tree/${encodeURIComponent(revision)}?recursive=true`;
  const headers = hub.token === null ? {} : { authorization: `Bearer ${hub.token}` };
  const response = await upstream
    .fetch(url, { headers, ...(signal === undefined ? {} : { signal }) })
    .catch((cause: unknown) => {
      throw new Failure("invalid_request", `${new URL(url).host} cannot be reached`, { cause });
    });
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > listLimitBytes) throw new Failure("invalid_request", "its list of files is too long");
    pieces.push(piece);
  }
  if (response.status === 401 || response.status === 403 || response.status === 404) {
    throw new Failure("invalid_request", "there is no such repository, or a token is needed to see it (HF_TOKEN)");
  }
  if (response.status !== 200) throw new Failure("invalid_request", `the server answers ${response.status}`);
  try {
    const entries = treeAnswer.parse(JSON.parse(Buffer.concat(pieces).toString("utf8")));
    return entries.filter(({ type, path }) => type === "file" && /\.gguf$/i.test(path)).map(({ path }) => path);
  } catch (cause) {
    throw new Failure("invalid_request", "the server sends something else than a list of files", { cause });
  }
}

const partPattern = /-(\d{5})-of-(\d{5})\.gguf$/i;

/** The file of a quantization, or its parts in order; one file where both are there. Null: none. */
export function pathsOfQuantization(paths: readonly string[], quantization: string): readonly string[] | null {
  const wanted = quantization.toLowerCase();
  const matching = paths.filter((path) => {
    const file = path.toLowerCase().replace(partPattern, ".gguf");
    return new RegExp(`(^|[-._/])${escaped(wanted)}(\\.gguf$|/)`).test(file);
  });
  const [whole] = matching.filter((path) => !partPattern.test(path)).sort();
  if (whole !== undefined) return [whole];
  return allParts(matching.filter((path) => partPattern.test(path)).sort()[0] ?? null);
}

/** All parts of the model that a file is one of; the file itself where it is whole. */
export function allParts(path: string | null): readonly string[] | null {
  if (path === null) return null;
  const count = Number(partPattern.exec(path)?.[2] ?? 0);
  if (count < 1) return [path];
  if (count > 256) return null;
  const padded = (number: number): string => String(number).padStart(5, "0");
  return Array.from({ length: count }, (_, index) =>
    path.replace(partPattern, `-${padded(index + 1)}-of-${padded(count)}.gguf`),
  );
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * The shape of a model in a repository of the Hub, from the headers of its files, before anything is downloaded. Runs in
 * commands and in the server.
 */
import { Failure } from "../../server/domain/failure.ts";
import type { ModelShape } from "../../server/domain/fit/shape.ts";
import { type HubSettings, hubUrl, inPath } from "../download/hub/endpoint.ts";
import type { GgufHeader } from "./format.ts";
import { readRemoteHeader, type RemoteOptions } from "./remote.ts";
import { shapeOf } from "./shape.ts";
import { judgeHeader } from "./validate.ts";

export interface HubFiles {
  /** `owner/name`. */
  readonly repository: string;
  readonly revision: string;
  /** One file, or all parts in order. */
  readonly paths: readonly string[];
}

function fileUrl({ endpoint }: HubSettings, { repository, revision }: HubFiles, path: string): URL {
  return hubUrl(endpoint, `${inPath(repository)}/resolve/${encodeURIComponent(revision)}/${inPath(path)}`);
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
  hub: HubSettings,
  files: HubFiles,
  options: Omit<RemoteOptions, "token">,
): Promise<HubModel> {
  const [firstPath, ...furtherPaths] = files.paths;
  if (firstPath === undefined) throw new Failure("invalid_request", "it has no files");
  const read = (path: string) => readRemoteHeader(fileUrl(hub, files, path).href, { ...options, token: hub.token });
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

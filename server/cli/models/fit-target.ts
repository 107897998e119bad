/**
 * Which model `models fit` was asked about, and its shape: a file, an alias of this box, a name of the catalog, or a
 * repository of the Hub, whose headers are read by Range. Runs in the command's process; no server is needed.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { catalogEntry } from "../../../models/catalog/catalog.ts";
import type { CatalogEntry } from "../../../models/catalog/entry.ts";
import { shapeOfEntry } from "../../../models/catalog/entry-shape.ts";
import { readHubSettings } from "../../../models/download/hub/endpoint.ts";
import {
  allParts,
  type Hub,
  listHubFiles,
  pathsOfQuantization,
  readHubModel,
} from "../../../models/gguf/hub-header.ts";
import type { RemoteOptions } from "../../../models/gguf/remote.ts";
import { listModels } from "../../../models/store.ts";
import { closest } from "../../config/closest.ts";
import type { Config } from "../../config/schema.ts";
import { Failure } from "../../domain/failure.ts";
import type { ModelShape } from "../../domain/fit/shape.ts";
import { systemClock } from "../../platform/clock.ts";
import type { DataPaths } from "../../platform/paths.ts";
import { createUpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { printable } from "../text.ts";

export interface FitTarget {
  readonly name: string;
  readonly shape: ModelShape;
  readonly sizeBytes: number;
  /** Where the shape is from. */
  readonly source: "file" | "header" | "catalog";
  /** Said on stderr; null: nothing. */
  readonly note: string | null;
}

/** What the command knows of this box. */
export interface FitBox {
  readonly context: CommandContext;
  readonly config: Config;
  readonly paths: DataPaths;
}

const repositoryPattern = /^([\w.-]+\/[\w.-]+?)(?::([\w.-]+)|\/(.+\.gguf))?$/;

/** Throws CommandFailure: exit 5 for a model that is nowhere, 8 for one that cannot be looked at. */
export async function fitTarget(asked: string, box: FitBox): Promise<FitTarget> {
  const path = resolve(box.context.workingFolder, asked);
  if (existsSync(path)) return fileTarget(path, box);
  const served = await listModels({ folder: box.paths.models, entries: box.config.models });
  const file = served.files.find(({ alias }) => alias === asked);
  if (file !== undefined) {
    return { name: file.alias, shape: file.shape, sizeBytes: file.sizeBytes, source: "file", note: null };
  }
  const entry = catalogEntry(asked);
  if (entry !== null) return entryTarget(entry, box);
  const repository = repositoryPattern.exec(asked);
  if (repository !== null && !asked.startsWith(".")) return hubTarget(asked, repository, box);
  const near = closest(
    asked,
    served.files.map(({ alias }) => alias),
  );
  throw new CommandFailure(exitCodes.noSuchThing, "model_not_found", `There is no model "${printable(asked)}"`, {
    why:
      near === null
        ? "It is no file, no alias of this box, no name of the catalog and no owner/repository of the Hub."
        : `Did you mean "${near}"?`,
    next: [near === null ? "lanthorn models list" : `lanthorn models fit ${near}`],
  });
}

async function fileTarget(path: string, { paths }: FitBox): Promise<FitTarget> {
  const { files, refusals } = await listModels({ folder: `${paths.home}/none`, entries: [{ path }] });
  const [file] = files;
  if (file !== undefined) {
    return { name: file.alias, shape: file.shape, sizeBytes: file.sizeBytes, source: "file", note: null };
  }
  const [refusal] = refusals;
  throw new CommandFailure(
    exitCodes.failed,
    "model_refused",
    `${printable(refusal?.fileName ?? "The file")} cannot be served`,
    {
      why: `${refusal?.reason ?? "it cannot be read"}.`,
    },
  );
}

/** The Hub that downloads come from. Throws Failure `cannot_start`. */
function hubOf({ context, config }: FitBox): Hub {
  const { endpoint, token } = readHubSettings(config.hub.endpoint, context.environment);
  return { endpoint: endpoint.href.replace(/\/+$/, ""), token };
}

/** Runs `work` with the one way out, and closes it. */
async function withHub<Result>(
  { context, config }: FitBox,
  work: (options: Omit<RemoteOptions, "token">) => Promise<Result>,
): Promise<Result> {
  const upstream = createUpstreamFetch({ environment: context.environment, caFile: config.network.caFile });
  try {
    return await work({ upstream, clock: systemClock, signal: context.signal });
  } finally {
    await upstream.close();
  }
}

async function entryTarget(entry: CatalogEntry, box: FitBox): Promise<FitTarget> {
  const sizeBytes = entry.files.reduce((sum, file) => sum + file.bytes, 0);
  try {
    const files = {
      repository: entry.repository,
      revision: entry.revision ?? "main",
      paths: entry.files.map(({ path }) => path),
    };
    const found = await withHub(box, (options) => readHubModel(hubOf(box), files, options));
    return { name: entry.title, shape: found.shape, sizeBytes: found.sizeBytes, source: "header", note: entry.note };
  } catch (thrown) {
    const shape = shapeOfEntry(entry);
    if (!(thrown instanceof Failure) || shape === null) throw unreadable(entry.title, thrown);
    const note = `Its header could not be read (${thrown.message}); this is from the catalog.`;
    return {
      name: entry.title,
      shape,
      sizeBytes,
      source: "catalog",
      note: entry.note === null ? note : `${entry.note} ${note}`,
    };
  }
}

async function hubTarget(asked: string, match: RegExpExecArray, box: FitBox): Promise<FitTarget> {
  const [, repository = "", quantization, file] = match;
  try {
    const hub = hubOf(box);
    const found = await withHub(box, async (options) => {
      const paths = file === undefined ? await chosen() : allParts(file);
      if (paths === null) throw new Failure("invalid_request", `it has no ${quantization ?? "Q4_K_M"} file`);
      return readHubModel(hub, { repository, revision: "main", paths }, options);

      async function chosen(): Promise<readonly string[] | null> {
        const listed = await listHubFiles(hub, repository, "main", options);
        if (quantization !== undefined) return pathsOfQuantization(listed, quantization);
        return pathsOfQuantization(listed, "q4_k_m") ?? (listed.length === 1 ? allParts(listed[0] ?? null) : null);
      }
    });
    return { name: asked, shape: found.shape, sizeBytes: found.sizeBytes, source: "header", note: null };
  } catch (thrown) {
    throw unreadable(asked, thrown);
  }
}

function unreadable(name: string, thrown: unknown): unknown {
  if (!(thrown instanceof Failure)) return thrown;
  return new CommandFailure(exitCodes.upstream, "model_unreadable", `${printable(name)} cannot be looked at`, {
    why: `${printable(thrown.message)}.`,
    cause: thrown,
  });
}

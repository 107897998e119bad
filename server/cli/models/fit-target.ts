/**
 * Which model `models fit` was asked about, and its shape: a file, an alias of this box, a name of the catalog, or a
 * repository of the Hub, whose headers are read by Range. Runs in the command's process; no server is needed.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { chooseFile } from "../../../models/catalog/choose-file.ts";
import type { CatalogEntry } from "../../../models/catalog/entry.ts";
import { bytesOfEntry, shapeOfEntry } from "../../../models/catalog/entry-shape.ts";
import { type HubName, resolveModelName, type WantedFile } from "../../../models/catalog/name.ts";
import { createHubCalls } from "../../../models/download/hub/calls.ts";
import { type HubSettings, readHubSettings } from "../../../models/download/hub/endpoint.ts";
import { listFiles } from "../../../models/download/hub/repository.ts";
import { downloadTiming } from "../../../models/download/settings.ts";
import { DownloadTrouble } from "../../../models/download/trouble.ts";
import { readHubModel } from "../../../models/gguf/hub-header.ts";
import type { RemoteOptions } from "../../../models/gguf/remote.ts";
import { allParts, mostParts, splitNameOf } from "../../../models/split-name.ts";
import { listModels } from "../../../models/store.ts";
import { closest } from "../../config/closest.ts";
import type { Config } from "../../config/schema.ts";
import { Failure } from "../../domain/failure.ts";
import type { ModelShape } from "../../domain/fit/shape.ts";
import { systemClock } from "../../platform/clock.ts";
import type { DataPaths } from "../../platform/paths.ts";
import { caFilePath } from "../../platform/upstream/authorities.ts";
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

/** Throws CommandFailure: exit 5 for a model that is nowhere, 8 for one that cannot be looked at. */
export async function fitTarget(asked: string, box: FitBox): Promise<FitTarget> {
  const path = resolve(box.context.workingFolder, asked);
  if (existsSync(path)) return fileTarget(path, box);
  const served = await listModels({ folder: box.paths.models, entries: box.config.models });
  const file = served.files.find(({ alias }) => alias === asked);
  if (file !== undefined) {
    return { name: file.alias, shape: file.shape, sizeBytes: file.sizeBytes, source: "file", note: null };
  }
  const name = resolveModelName(asked);
  if (name.kind === "catalog") return entryTarget(name.entry, box);
  if (name.kind === "hub") return hubTarget(asked, name, box);
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

interface HubOptions extends Omit<RemoteOptions, "token"> {
  readonly signal: AbortSignal;
}

/** Runs `work` with the one way out, and closes it. */
async function withHub<Result>(
  { context, config, paths }: FitBox,
  work: (hub: HubSettings, options: HubOptions) => Promise<Result>,
): Promise<Result> {
  const { environment, signal } = context;
  const upstream = createUpstreamFetch({ environment, caFile: caFilePath(config.network.caFile, paths.home) });
  try {
    return await work(readHubSettings(config.hub.endpoint, environment), { upstream, clock: systemClock, signal });
  } finally {
    await upstream.close();
  }
}

async function entryTarget(entry: CatalogEntry, box: FitBox): Promise<FitTarget> {
  const sizeBytes = bytesOfEntry(entry) ?? 0;
  try {
    const files = {
      repository: entry.repository,
      revision: entry.revision ?? "main",
      paths: entry.files.map(({ path }) => path),
    };
    const found = await withHub(box, (hub, options) => readHubModel(hub, files, options));
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

async function hubTarget(asked: string, { repository, revision, wanted }: HubName, box: FitBox): Promise<FitTarget> {
  try {
    const found = await withHub(box, async (hub, options) => {
      const files = { repository, revision: revision ?? "main" };
      const paths = wanted.kind === "file" ? partsOf(wanted.path) : await chosenPaths(hub, files, wanted, options);
      return readHubModel(hub, { ...files, paths }, options);
    });
    return { name: asked, shape: found.shape, sizeBytes: found.sizeBytes, source: "header", note: null };
  } catch (thrown) {
    throw unreadable(asked, thrown);
  }
}

function partsOf(path: string): readonly string[] {
  if ((splitNameOf(path)?.count ?? 1) > mostParts) throw new Failure("invalid_request", "it claims too many parts");
  return allParts(path);
}

/** The files that a download of this name would fetch. */
async function chosenPaths(
  hub: HubSettings,
  { repository, revision }: { readonly repository: string; readonly revision: string },
  wanted: Exclude<WantedFile, { kind: "file" }>,
  { upstream, clock, signal }: HubOptions,
): Promise<readonly string[]> {
  const calls = createHubCalls(hub, { upstream, clock, silenceMs: downloadTiming.silenceMs });
  const listed = await listFiles(calls, repository, revision, signal);
  const choice = chooseFile(listed, wanted);
  if (choice.kind === "chosen") return choice.files.map(({ path }) => path);
  const isMissing = wanted.kind === "quantization" && !choice.quantizations.includes(wanted.quantization.toUpperCase());
  throw new Failure("invalid_request", isMissing ? `it has no ${wanted.quantization} file` : choice.reason);
}

function unreadable(name: string, thrown: unknown): unknown {
  if (!(thrown instanceof Failure) && !(thrown instanceof DownloadTrouble)) return thrown;
  return new CommandFailure(exitCodes.upstream, "model_unreadable", `${printable(name)} cannot be looked at`, {
    // A trouble of the Hub's is a sentence, what is wrong with a file the end of one.
    why: `${printable(thrown.message).replace(/\.$/, "")}.`,
    cause: thrown,
  });
}

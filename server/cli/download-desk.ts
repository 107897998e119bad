/**
 * Where downloads are carried out: in the running server, which goes on when this command ends, or in this very process while
 * none runs. The commands see one desk and do not know which. Runs in the command's process.
 */
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { DownloadWish } from "../../models/download/wish.ts";
import { type DownloadView, isSettled } from "../domain/download.ts";
import type { DataPaths } from "../platform/paths.ts";
import { readBoxState } from "./box-state.ts";
import { type Client, withClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { findServer } from "./server-address.ts";

export interface DownloadDesk {
  /** What is asked for goes on when this command is over. */
  readonly goesOn: boolean;
  list(): Promise<readonly DownloadView[]>;
  start(wish: DownloadWish): Promise<DownloadView>;
  act(action: DownloadAction, id: string): Promise<DownloadView>;
  /** A client of the running server can ask for this alias; null: no server runs. */
  isServed(alias: string): Promise<boolean | null>;
}

export type DownloadAction = "pause" | "resume" | "cancel";

export async function withDownloadDesk<Result>(
  context: CommandContext,
  work: (desk: DownloadDesk) => Promise<Result>,
): Promise<Result> {
  const address = findServer(context.environment);
  if (address !== null) return withClient(address, (client) => work(deskOfServer(client)));
  const { withDataLock } = await import("./with-data-lock.ts");
  return withDataLock(context.environment, ["lanthorn", "lanthorn models downloads"], (paths) =>
    withOwnDownloads(context, paths, work),
  );
}

async function withOwnDownloads<Result>(
  { environment, workingFolder }: CommandContext,
  paths: DataPaths,
  work: (desk: DownloadDesk) => Promise<Result>,
): Promise<Result> {
  const [
    { openDownloads },
    { readHubSettings },
    { loadConfig },
    { createUpstreamFetch },
    { systemClock },
    { createLog },
    { caFilePath },
  ] = await Promise.all([
    import("../../models/download/downloads.ts"),
    import("../../models/download/hub/endpoint.ts"),
    import("../config/load.ts"),
    import("../platform/upstream/upstream-fetch.ts"),
    import("../platform/clock.ts"),
    import("../platform/log.ts"),
    import("../platform/upstream/authorities.ts"),
  ]);
  const { values } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
  const upstream = createUpstreamFetch({ environment, caFile: caFilePath(values.network.caFile, paths.home) });
  const downloads = openDownloads({
    home: paths.home,
    modelsFolder: paths.models,
    settings: values.downloads,
    hub: () => readHubSettings(values.hub.endpoint, environment),
    upstream,
    clock: systemClock,
    log: createLog({ level: "silent" }),
    // Only what this command is for; the rest waits for a server, or for its own command.
    goOn: false,
    publish: () => {},
    onFiles: () => {},
  });
  try {
    return await work({
      goesOn: false,
      list: async () => downloads.list(),
      start: async (wish) => downloads.start(wish),
      act: async (action, id) => downloads[action](id),
      isServed: async () => null,
    });
  } finally {
    await downloads.close();
    await upstream.close();
  }
}

function deskOfServer(client: Client): DownloadDesk {
  return {
    goesOn: true,
    list: async () => (await client.call("GET", "/admin/downloads", downloadsAnswer)).downloads,
    start: async (body) => (await client.call("POST", "/admin/downloads", downloadAnswer, { body })).download,
    act: async (action, id) =>
      (await client.call("POST", `/admin/downloads/${encodeURIComponent(id)}/${action}`, downloadAnswer)).download,
    isServed: async (alias) => {
      // A server that takes new files up does so within moments.
      for (let look = 0; look < mostServedLooks; look += 1) {
        const { models } = await readBoxState(client);
        if (models.some((model) => model.id === alias)) return true;
        await pause(lookGapMs);
      }
      return false;
    },
  };
}

const mostServedLooks = 4;

/** Between two looks. A bar moves four times a second, and a server is asked no more often. */
const lookGapMs = 250;

/** Looks until the download leaves its state only by somebody's hand, or the signal says stop. Resolves with the last look. */
export async function follow(
  desk: DownloadDesk,
  first: DownloadView,
  onView: (view: DownloadView) => void | Promise<void>,
  signal: AbortSignal,
): Promise<DownloadView> {
  let view = first;
  for (;;) {
    await onView(view);
    if (isSettled(view.state) || signal.aborted) return view;
    await pause(lookGapMs, undefined, { signal }).catch(() => {});
    const found = (await desk.list()).find((one) => one.id === first.id);
    if (found === undefined)
      throw new CommandFailure(exitCodes.noSuchThing, "no_such_download", "The download is gone");
    view = found;
  }
}

/** A newer server may know more words; they are shown, not judged. */
const word = <Word extends string>() => z.custom<Word>((value) => typeof value === "string");
const time = z.number();

const downloadShape = z.object({
  id: z.string(),
  model: z.string(),
  alias: z.string().nullable(),
  repository: z.string(),
  commit: z.string().nullable(),
  state: word<DownloadView["state"]>(),
  since: time,
  reason: z.string(),
  until: time.nullable(),
  bytes: time.nullable(),
  doneBytes: time,
  bytesPerSecond: time.nullable(),
  leftMs: time.nullable(),
  files: z.array(z.object({ path: z.string(), fileName: z.string(), bytes: time, doneBytes: time })),
  trouble: z
    .object({
      code: word<NonNullable<DownloadView["trouble"]>["code"]>(),
      message: z.string(),
      why: z.string(),
      next: z.array(z.string()),
    })
    .nullable(),
  createdAtMs: time,
}) satisfies z.ZodType<DownloadView, unknown>;

const downloadAnswer = z.object({ download: downloadShape });
const downloadsAnswer = z.object({ downloads: z.array(downloadShape) });

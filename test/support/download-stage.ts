/** Downloads in this process against the stand-in Hub: real files, real HTTP, short periods. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Downloads, openDownloads } from "../../models/download/downloads.ts";
import type { DownloadSettings, DownloadTiming, DownloadsOptions } from "../../models/download/settings.ts";
import type { DownloadWish } from "../../models/download/wish.ts";
import type { DownloadState, DownloadView } from "../../server/domain/download.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import { writeFilledGguf, type FilledFile } from "./filled-gguf.ts";
import { startHub, type StandInHub } from "./hub/hub.ts";
import type { Script } from "./hub/script.ts";
import { silentLog } from "./real-engine.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const mebibyte = 1 << 20;

export const quickTiming: DownloadTiming = {
  stalledMs: 200,
  silenceMs: 700,
  firstDelayMs: 10,
  longestDelayMs: 50,
  progressMs: 20,
};

export const plainSettings: DownloadSettings = {
  rateLimitBytesPerSecond: 0,
  parallel: 4,
  atOnce: 1,
  patienceMs: 3_000,
  keepFreeBytes: 0,
};

export const plainWish: DownloadWish = {
  model: "acme/coder-GGUF",
  acceptLicense: false,
  alias: null,
  rateBytesPerSecond: 0,
};

export interface Stage {
  readonly hub: StandInHub;
  readonly home: string;
  readonly downloads: Downloads;
  readonly published: DownloadView[];
  readonly finished: string[];
  /** Every state a download was told to be in, in order, without repetitions. */
  states(id: string): DownloadState[];
  /** Names in `models/`. */
  models(): string[];
  /** Names in `downloads/`, without the records. */
  leftovers(): string[];
  /** Resolves when the download is in one of these states. */
  until(id: string, ...states: readonly DownloadState[]): Promise<DownloadView>;
  /** Resolves when so many bytes of it are there. */
  untilBytes(id: string, bytes: number): Promise<void>;
  /** Asks for a download and waits for its end. */
  pull(wish?: Partial<DownloadWish>): Promise<DownloadView>;
  /** Another process on the same data folder. */
  reopen(options?: Partial<DownloadsOptions>): Promise<Stage>;
}

export interface StageWishes {
  readonly script?: Script;
  readonly settings?: Partial<DownloadSettings>;
  readonly token?: string;
  readonly options?: Partial<DownloadsOptions>;
}

/** `acme/coder-GGUF` with one file of this size, and what `more` puts beside it. */
export async function hubWith(
  bytes: number,
  more: (folder: string) => void = () => {},
  script: Script = {},
): Promise<{ readonly hub: StandInHub; readonly file: FilledFile; readonly folder: string }> {
  const folder = temporaryFolder();
  const file = writeFilledGguf(join(folder, "acme/coder-GGUF/coder-Q4_K_M.gguf"), bytes);
  more(folder);
  const hub = await startHub({ folder, script });
  onTestFinished(() => hub.close());
  return { hub, file, folder };
}

export async function stage(hub: StandInHub, wishes: StageWishes = {}, home = temporaryFolder()): Promise<Stage> {
  if (wishes.script !== undefined) hub.play(wishes.script);
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  const published: DownloadView[] = [];
  const finished: string[] = [];
  const heard = new Set<() => void>();
  const downloads = openDownloads({
    home,
    modelsFolder: join(home, "models"),
    settings: { ...plainSettings, ...wishes.settings },
    timing: quickTiming,
    hub: () => ({ endpoint: new URL(`${hub.url}/`), token: wishes.token ?? null }),
    upstream,
    clock: systemClock,
    log: silentLog,
    goOn: true,
    partBytesOf: () => mebibyte,
    publish: (view) => {
      published.push(view);
      for (const wake of heard) wake();
    },
    onFiles: (paths) => void finished.push(...paths),
    ...wishes.options,
  });
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await downloads.close();
    await upstream.close();
  };
  onTestFinished(close);

  const when = async (id: string, isSo: (view: DownloadView) => boolean): Promise<DownloadView> => {
    for (;;) {
      const view = downloads.list().find((one) => one.id === id);
      if (view !== undefined && isSo(view)) return view;
      await new Promise<void>((resolve) => {
        const wake = () => {
          heard.delete(wake);
          resolve();
        };
        heard.add(wake);
      });
    }
  };
  const until = (id: string, ...states: readonly DownloadState[]) => when(id, ({ state }) => states.includes(state));
  const namesIn = (folder: string) => (existsSync(join(home, folder)) ? readdirSync(join(home, folder)).sort() : []);
  return {
    hub,
    home,
    downloads,
    published,
    finished,
    states: (id) =>
      published
        .filter((view) => view.id === id)
        .map((view) => view.state)
        .filter((state, index, all) => state !== all[index - 1]),
    models: () => namesIn("models"),
    leftovers: () => namesIn("downloads").filter((name) => !name.endsWith(".json")),
    until,
    untilBytes: async (id, bytes) => void (await when(id, ({ doneBytes }) => doneBytes >= bytes)),
    pull: async (wish = {}) => {
      const { id } = downloads.start({ ...plainWish, ...wish });
      return until(id, "done", "failed", "paused", "cancelled");
    },
    reopen: async (options = {}) => {
      await close();
      return stage(hub, { ...wishes, options: { ...wishes.options, ...options } }, home);
    },
  };
}

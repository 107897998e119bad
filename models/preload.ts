/**
 * The model that must be in memory before a box that nobody sits at is ready: an alias it serves, a file of its disk, or one that is
 * downloaded first. Runs in the server process; it follows what the engine and the downloads publish, and asks them for the next step.
 */
import { homedir } from "node:os";
import { basename, resolve } from "node:path";
import type { DownloadView } from "../server/domain/download.ts";
import { asFailure, Failure } from "../server/domain/failure.ts";
import type { ModelState } from "../server/domain/model.ts";
import type { BoxEvent, Clock, Log } from "../server/domain/ports.ts";
import { resolveModelName } from "./catalog/name.ts";
import type { DownloadWish } from "./download/wish.ts";
import type { ModelEntry } from "./store.ts";

export interface PreloadPorts {
  /** What the box serves now. */
  served(): readonly { readonly alias: string; readonly fileName: string }[];
  readonly downloads: {
    list(): readonly DownloadView[];
    start(wish: DownloadWish): DownloadView;
  };
  /** Brings it into memory if there is room, and says how it then stands. */
  load(alias: string): Promise<{ readonly state: ModelState }>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface PreloadView {
  readonly model: string;
  readonly state: "waiting" | "downloading" | "loading" | "ready" | "failed";
  readonly reason: string;
}

export interface Preload {
  /** Null: nothing was asked for. */
  view(): PreloadView | null;
  /** The box can serve what it is here for. */
  readiness(): { readonly ready: boolean; readonly reason: string };
  /** Takes the next step: at the start, and when files have come. The first time it throws Failure `cannot_start` for what cannot be had. */
  look(): void;
  saw(event: BoxEvent): void;
}

/** Between two lines about a download that goes on. */
const tellEveryMs = 10_000;

/** A file of this machine, as an entry of `models:`; null: it is no path. `text` is `preload` of the settings. */
export function preloadEntry(text: string): ModelEntry | null {
  const verdict = text === "" ? null : resolveModelName(text, { paths: true });
  return verdict?.kind === "path" ? { path: pathOf(verdict.path), preload: false } : null;
}

function pathOf(text: string): string {
  return resolve(text.replace(/^~(?=[\\/])/, homedir()));
}

export function openPreload(text: string, { served, downloads, load, clock, log }: PreloadPorts): Preload {
  const file = preloadEntry(text);
  let view: PreloadView | null = text === "" ? null : { model: text, state: "waiting", reason: "not looked at yet" };
  let alias: string | null = null;
  let toldMs = -tellEveryMs;
  let isBegun = false;

  const enter = (state: PreloadView["state"], reason: string) => {
    view = { model: text, state, reason };
  };

  /** What it is served as; null: it is not there. */
  const found = (): string | null => {
    const here = served();
    const named = here.find((one) => one.alias === text);
    if (named !== undefined) return named.alias;
    const fetched = downloads.list().findLast(({ model, state }) => model === text && state === "done");
    const fileName = file === null ? fetched?.files[0]?.fileName : basename(file.path);
    return here.find((one) => one.fileName === fileName)?.alias ?? null;
  };

  const bring = async (name: string) => {
    try {
      const { state } = await load(name);
      if (state === "unloaded") enter("failed", "there is no room for it in memory; its first request tries again");
    } catch (thrown) {
      enter("failed", asFailure(thrown).message);
    }
  };

  const follow = (download: DownloadView) => {
    const { state, bytes, doneBytes, reason } = download;
    const percent = bytes === null || bytes === 0 ? 0 : Math.floor((100 * doneBytes) / bytes);
    if (state === "failed" || state === "cancelled" || state === "paused") {
      const why = download.trouble === null ? reason : `${download.trouble.message} ${download.trouble.why}`.trim();
      enter("failed", `its download is ${state}: ${why}`);
      log.error({ model: text, percent, why }, "the model to preload could not be downloaded");
      return;
    }
    const words = state === "downloading" ? `${percent} % downloaded` : `${state}: ${reason}`;
    const isNews = view?.state !== "downloading" || (state !== "downloading" && view.reason !== words);
    enter("downloading", words);
    if (!isNews && clock.monotonicMs() - toldMs < tellEveryMs) return;
    toldMs = clock.monotonicMs();
    const { bytesPerSecond, leftMs } = download;
    log.info(
      { model: text, state, percent, doneBytes, bytes, bytesPerSecond, leftMs },
      "downloading the model to preload",
    );
  };

  const look = () => {
    if (view === null || alias !== null) return;
    alias = found();
    if (alias !== null) {
      enter("loading", "it is brought into memory");
      void bring(alias);
      return;
    }
    if (file !== null) throw cannotPreload(text, "There is no such file, or no model that can be served in it.");
    // One that goes on is told of by its events.
    if (view.state === "downloading") {
      const isDone = downloads.list().findLast(({ model }) => model === text)?.state === "done";
      if (isDone) enter("failed", "it was downloaded, and is no model that can be served; the log says why");
      return;
    }
    try {
      follow(downloads.start({ model: text, acceptLicense: false, alias: null, rateBytesPerSecond: 0 }));
    } catch (thrown) {
      const { message, why } = asFailure(thrown);
      throw cannotPreload(text, `${message} ${why ?? ""}`.trim(), thrown);
    }
  };

  return {
    view: () => view,
    readiness: () =>
      view === null || view.state === "ready"
        ? { ready: true, reason: "serving" }
        : { ready: false, reason: `${text}: ${view.reason}` },
    look: () => {
      try {
        look();
      } catch (thrown) {
        if (isBegun) enter("failed", asFailure(thrown).why ?? asFailure(thrown).message);
        else throw thrown;
      } finally {
        isBegun = true;
      }
    },
    saw: (event) => {
      if (view === null || view.state === "ready") return;
      if (
        event.type === "download" &&
        event.download.model === text &&
        alias === null &&
        event.download.state !== "done"
      ) {
        follow(event.download);
      }
      if (event.type !== "model" || event.model.id !== alias) return;
      const { state, reason } = event.model;
      if (state === "ready") {
        enter("ready", "in memory");
        log.info({ model: text, alias }, "the model to preload is in memory");
      } else enter(state === "loading" ? "loading" : "failed", reason);
    },
  };
}

function cannotPreload(text: string, why: string, cause?: unknown): Failure {
  return new Failure("cannot_start", `The model to preload cannot be had: ${JSON.stringify(text.slice(0, 120))}.`, {
    cause,
    why,
    next: ["unset LANTHORN_PRELOAD", "lanthorn models list"],
    param: "preload",
  });
}

/** What a downloader is told and given. Types, and the periods that are no settings. */
import type { DownloadView } from "../../server/domain/download.ts";
import type { Clock, Log } from "../../server/domain/ports.ts";
import type { UpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import type { HubSettings } from "./hub/endpoint.ts";

export interface DownloadSettings {
  /** Of all downloads together; 0: no cap. */
  readonly rateLimitBytesPerSecond: number;
  /** Connections of one download. */
  readonly parallel: number;
  /** Downloads at the same time. */
  readonly atOnce: number;
  /** How long tries without a new byte go on. */
  readonly patienceMs: number;
  /** Left free on the disk. */
  readonly keepFreeBytes: number;
}

/** Each has one right value, and tests shorten them. */
export interface DownloadTiming {
  /** A download without a new byte for this long is called stalled. */
  readonly stalledMs: number;
  /** A connection that is silent for this long is given up. */
  readonly silenceMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Progress is told at most this often. */
  readonly progressMs: number;
}

export const downloadTiming: DownloadTiming = Object.freeze({
  stalledMs: 4_000,
  silenceMs: 20_000,
  firstDelayMs: 500,
  longestDelayMs: 30_000,
  progressMs: 1_000,
});

export interface DownloadsOptions {
  /** The data folder: `downloads/` and the record of accepted licences are in it. */
  readonly home: string;
  /** The data folder's `models/`. */
  readonly modelsFolder: string;
  readonly settings: DownloadSettings;
  readonly timing?: DownloadTiming;
  /** Read when the first download needs it. */
  hub(): HubSettings;
  readonly upstream: UpstreamFetch;
  readonly clock: Clock;
  readonly log: Log;
  /** What an earlier process left unfinished goes on by itself; a command carries out only what it is asked for. */
  readonly goOn: boolean;
  publish(download: DownloadView): void;
  /** These files are models from now on. Must not throw. */
  onFiles(paths: readonly string[]): void;
  /** For tests: smaller parts, another disk, the names of the network. */
  readonly partBytesOf?: (fileBytes: number) => number;
  readonly freeBytes?: () => Promise<number>;
  readonly lookup?: (hostname: string) => Promise<readonly string[]>;
}

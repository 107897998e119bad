/**
 * A download as the rooms above the downloader, the command line and the page see it; and what can go wrong with one. Pure
 * types and words.
 */

/** Every state shown to a person carries since, reason and until. `stalled`: no byte came for some seconds. */
export type DownloadState =
  | "queued"
  | "resolving"
  | "downloading"
  | "stalled"
  | "paused"
  | "verifying"
  | "done"
  | "failed"
  | "cancelled";

/** What kind of end a trouble is, for exit codes and for what to offer next. */
export type TroubleEnd = "upstream" | "key" | "no-such-thing" | "no-room" | "usage" | "failed";

export const troubleEnds = Object.freeze({
  /** No answer, or the line was cut again and again. */
  unreachable: "upstream",
  /** The other side answered with an error of its own. */
  server_error: "upstream",
  /** It asked us to wait. */
  rate_limited: "upstream",
  /** A web page, an encoded body or something else that is not the file. */
  not_the_file: "upstream",
  /** Another part of the file than asked for. */
  wrong_range: "upstream",
  /** The file has another length than was said. */
  wrong_length: "upstream",
  /** The bytes are not the ones that were promised. */
  wrong_hash: "upstream",
  /** What the Hub says of the file is no longer what it said. */
  changed: "upstream",
  /** It led to an address where a download has no business. */
  redirect_refused: "upstream",
  /** The storage host refuses the link that the Hub gave, a fresh one too. */
  link_refused: "upstream",
  /** Nobody says what the file's SHA-256 should be. */
  no_hash: "upstream",
  /** The owner of the repository must let this account in first. */
  gated: "key",
  /** The token is missing or not accepted. */
  unauthorized: "key",
  /** No such repository, revision or file. */
  not_found: "no-such-thing",
  /** The disk has no room for it. */
  no_space: "no-room",
  /** The disk reports an error. */
  disk: "failed",
  /** A different file lies where it would go. */
  file_exists: "usage",
  /** A name that is no file name. */
  bad_name: "usage",
  /** It is whole, but no GGUF that may be served. */
  bad_model: "failed",
  /** Something unexpected of our own; the log has the details. */
  internal: "failed",
} satisfies Record<string, TroubleEnd>);

export type TroubleCode = keyof typeof troubleEnds;

/** Why a download failed. Safe to show. */
export interface TroubleView {
  readonly code: TroubleCode;
  readonly message: string;
  readonly why: string;
  /** Paste-ready next steps. */
  readonly next: readonly string[];
}

export interface DownloadFileView {
  /** In its repository. */
  readonly path: string;
  /** In the data folder's `models/`. */
  readonly fileName: string;
  readonly bytes: number;
  readonly doneBytes: number;
}

export interface DownloadView {
  readonly id: string;
  /** As it was asked for. */
  readonly model: string;
  /** What it will be served as; null until it is known. */
  readonly alias: string | null;
  /** `owner/name` on the Hub. */
  readonly repository: string;
  /** The commit all files come from; null until it is known. */
  readonly commit: string | null;
  readonly state: DownloadState;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  /** Why it is in this state, in words a person reads. */
  readonly reason: string;
  /** Epoch milliseconds at which it tries again; null when nothing is planned. */
  readonly until: number | null;
  /** Of all files; null until they are known. */
  readonly bytes: number | null;
  /** Safe on disk or on its way there: not fetched again. */
  readonly doneBytes: number;
  /** Measured over the last seconds; null while nothing comes. */
  readonly bytesPerSecond: number | null;
  /** Null while nothing comes. */
  readonly leftMs: number | null;
  readonly files: readonly DownloadFileView[];
  readonly trouble: TroubleView | null;
  readonly createdAtMs: number;
}

/** States that a download does not leave by itself. */
export function isSettled(state: DownloadState): boolean {
  return state === "paused" || state === "done" || state === "failed" || state === "cancelled";
}

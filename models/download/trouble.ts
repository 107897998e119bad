/**
 * What goes wrong in a download, with what may be done about it. Thrown inside `models/download` only: a caller outside sees
 * it as a download's state, or as a Failure. Runs in the server process and in commands.
 */
import type { TroubleCode, TroubleView } from "../../server/domain/download.ts";
import { Failure } from "../../server/domain/failure.ts";

export type Remedy =
  /** The same again, after a growing pause, for as long as patience lasts. */
  | { readonly kind: "again" }
  /** The answer was wrong rather than absent: again with a fresh link, but a few times only. */
  | { readonly kind: "doubt" }
  /** After exactly this long. */
  | { readonly kind: "wait"; readonly waitMs: number }
  | { readonly kind: "never" };

export interface TroubleOptions {
  readonly why?: string;
  readonly next?: readonly string[];
  readonly cause?: unknown;
}

export class DownloadTrouble extends Error {
  readonly code: TroubleCode;
  readonly remedy: Remedy;
  readonly why: string;
  readonly next: readonly string[];

  constructor(code: TroubleCode, remedy: Remedy, message: string, options: TroubleOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DownloadTrouble";
    this.code = code;
    this.remedy = remedy;
    this.why = options.why ?? "";
    this.next = options.next ?? [];
  }
}

export const again: Remedy = Object.freeze({ kind: "again" });
export const doubt: Remedy = Object.freeze({ kind: "doubt" });
export const never: Remedy = Object.freeze({ kind: "never" });

const networkWords: Readonly<Record<string, string>> = Object.freeze({
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name could not be looked up",
  EHOSTUNREACH: "there is no way to that address",
  ENETUNREACH: "there is no way to that address",
  ENETDOWN: "the network is down",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "no answer came",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_CONNECT_TIMEOUT: "no answer came",
  UND_ERR_HEADERS_TIMEOUT: "no answer came",
  UND_ERR_BODY_TIMEOUT: "no more data came",
});

const diskCodes: ReadonlySet<string> = new Set([
  "EIO",
  "EROFS",
  "EACCES",
  "EPERM",
  "EMFILE",
  "ENFILE",
  "EBADF",
  "EFBIG",
]);

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
}

export function noSpaceLeft(cause?: unknown): DownloadTrouble {
  return new DownloadTrouble("no_space", never, "The disk is full.", {
    why: "What was fetched is kept.",
    next: ["lanthorn doctor"],
    cause,
  });
}

/** Whatever was thrown while bytes were fetched and written. */
export function asTrouble(thrown: unknown): DownloadTrouble {
  if (thrown instanceof DownloadTrouble) return thrown;
  // Settings that do not allow a call: a proxy or a certificate file that cannot be used.
  if (thrown instanceof Failure) {
    const { message, why, next } = thrown;
    return new DownloadTrouble("unreachable", never, message, { why: why ?? "", next, cause: thrown });
  }
  const code = codeOf(thrown);
  if (code === "ENOSPC" || code === "EDQUOT") return noSpaceLeft(thrown);
  if (diskCodes.has(code)) {
    return new DownloadTrouble("disk", never, `The download cannot be written: ${code}.`, {
      why: "What was fetched is kept.",
      next: ["lanthorn doctor"],
      cause: thrown,
    });
  }
  const words = networkWords[code];
  if (words !== undefined) return new DownloadTrouble("unreachable", again, words, { cause: thrown });
  // A certificate that nobody vouches for, a protocol error: the network's again, with its own word.
  if (code.startsWith("UND_ERR") || code.startsWith("HPE_") || code.startsWith("ERR_TLS") || code.includes("CERT")) {
    return new DownloadTrouble("unreachable", again, `the connection failed (${code})`, { cause: thrown });
  }
  return new DownloadTrouble("internal", never, "Something went wrong inside Lanthorn. The log has the details.", {
    cause: thrown,
  });
}

export function viewOf(trouble: DownloadTrouble): TroubleView {
  const { code, message, why, next } = trouble;
  return { code, message, why, next };
}

/**
 * How the stand-in Hub misbehaves, as data: everything that real Hubs, mirrors, storage hosts and networks were seen to do.
 * Lists are used up one entry per answer; then the Hub behaves.
 */

export interface Script {
  /** Storage: close the connection after so many bytes of an answer. One per answer. */
  readonly cutsAfterBytes?: readonly number[];
  /** Storage: fall silent after so many bytes of an answer, and hold the connection. One per answer. */
  readonly stallsAfterBytes?: readonly number[];
  /** Storage: bytes per second of all answers together. */
  readonly bytesPerSecond?: number;
  /** Storage: answer 200 with the whole file whatever range was asked for. */
  readonly ignoresRanges?: boolean;
  /** Storage: from this answer on (counted from 1) another ETag. */
  readonly otherEtagFrom?: number;
  /** The Hub: from this question for a file on (counted from 1) another hash. */
  readonly otherHashFrom?: number;
  /** Storage: one byte in the middle of the file is another. */
  readonly wrongByte?: boolean;
  /** Storage: the file is so many bytes longer (or shorter) than the Hub says. */
  readonly extraBytes?: number;
  /** Storage: send so many bytes more than the range that was asked for, without a length. */
  readonly overrunBytes?: number;
  /** A signed link is good for so many answers, then it is refused with 403. */
  readonly answersPerLink?: number;
  /** So many answers of the storage are 403, whatever the link. */
  readonly refusedLinks?: number;
  /** So many answers of the storage are a web page with status 200. */
  readonly webPages?: number;
  /** So many answers of the storage are 500. */
  readonly serverErrors?: number;
  /** So many answers of the storage are of another range than asked for. */
  readonly wrongRanges?: number;
  /** So many answers are 429. */
  readonly rateLimits?: {
    readonly where: "hub" | "storage";
    readonly count: number;
    readonly seconds: number;
    /** How the wait is said. */
    readonly as: "retry-after" | "date" | "ratelimit";
  };
  /** Where the Hub leads instead of its storage; `loop`: to itself for ever, `elsewhere`: over a second storage host. */
  readonly redirect?: "loop" | "elsewhere" | { readonly to: string };
  /** The Hub says neither hash nor length nor commit with a link, as some mirrors do. */
  readonly saysNothing?: boolean;
  /** The list of files names no hash. */
  readonly listsNoHash?: boolean;
  /** Further paths that the list of files names, with a hash; there is nothing behind them. */
  readonly listsAlso?: readonly string[];
  /** Repositories that moved: old name → new name. Answered with a relative redirect. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Whoever does not have this token is refused. */
  readonly gate?: {
    readonly token: string;
    readonly status: 401 | 403;
    readonly code: "GatedRepo" | "RepoNotFound" | "";
  };
}

const mebibyte = 1 << 20;
const cuts = Array.from({ length: 10 }, (_, index) => (index * 170_021) % mebibyte);

/** By name, for `main.ts --script` and for tests. */
export const scripts = Object.freeze({
  good: {},
  cuts: { cutsAfterBytes: cuts },
  "cuts-slow": { cutsAfterBytes: cuts, bytesPerSecond: 40 * mebibyte },
  slow: { bytesPerSecond: 2 * mebibyte },
  stalls: { stallsAfterBytes: [100_000, 900_000, 0] },
  "no-ranges": { ignoresRanges: true },
  "other-etag": { otherEtagFrom: 3 },
  "other-hash": { otherHashFrom: 2, cutsAfterBytes: [0, 0, 0, 0, 0, 0, 0, 0] },
  "wrong-hash": { wrongByte: true },
  longer: { extraBytes: 1000 },
  shorter: { extraBytes: -1000 },
  overrun: { overrunBytes: 5000 },
  "expiring-links": { answersPerLink: 2 },
  "refused-links": { refusedLinks: 1_000_000 },
  "web-page": { webPages: 1_000_000 },
  "web-page-once": { webPages: 2 },
  "errors-500": { serverErrors: 3 },
  "wrong-range": { wrongRanges: 1_000_000 },
  "rate-limit-hub": { rateLimits: { where: "hub", count: 1, seconds: 1, as: "ratelimit" } },
  "rate-limit-storage": { rateLimits: { where: "storage", count: 1, seconds: 1, as: "retry-after" } },
  "redirect-loop": { redirect: "loop" },
  "redirect-elsewhere": { redirect: "elsewhere" },
  "redirect-metadata": { redirect: { to: "http://169.254.169.254/latest/meta-data/" } },
  "redirect-file": { redirect: { to: "file:///etc/passwd" } },
  mirror: { saysNothing: true },
  "no-hash": { saysNothing: true, listsNoHash: true },
  gated: { gate: { token: "hf_let_me_in", status: 403, code: "GatedRepo" } },
  private: { gate: { token: "hf_let_me_in", status: 401, code: "RepoNotFound" } },
} satisfies Record<string, Script>);

export type ScriptName = keyof typeof scripts;

export function isScriptName(name: string): name is ScriptName {
  return Object.hasOwn(scripts, name);
}

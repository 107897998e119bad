/** What the Hub's refusals mean: status and headers become a trouble with its remedy. Pure. */
import { again, DownloadTrouble, doubt, never } from "../trouble.ts";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** When a 429 or 503 does not say. */
const defaultWaitMs = 10_000;

/**
 * How long to wait, exactly as it was said: `Retry-After` in seconds or as a date, else the `t` of the spent entry in
 * `RateLimit` (`"resolvers";r=0;t=42`). Null: not said.
 */
export function askedWaitMs(headers: Headers, nowMs: number): number | null {
  const retryAfter = headerOf(headers, "retry-after")?.trim();
  if (retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  if (retryAfter !== undefined && !Number.isNaN(Date.parse(retryAfter))) {
    return Math.max(0, Date.parse(retryAfter) - nowMs);
  }
  const waits = (headerOf(headers, "ratelimit") ?? "")
    .split(",")
    .filter((entry) => /;\s*r\s*=\s*0\s*(;|$)/.test(entry))
    .map((entry) => /;\s*t\s*=\s*(\d{1,9})\s*(;|$)/.exec(entry)?.[1])
    .filter((seconds) => seconds !== undefined);
  return waits.length === 0 ? null : Math.max(...waits.map(Number)) * 1000;
}

/** Refusals that mean the same wherever they come from; null: this status is none of them. */
export function busyRefusal(status: number, headers: Headers, nowMs: number): DownloadTrouble | null {
  const waitMs = askedWaitMs(headers, nowMs);
  if (status === 429) {
    const message = "The Hub's rate limit is reached.";
    return new DownloadTrouble("rate_limited", { kind: "wait", waitMs: waitMs ?? defaultWaitMs }, message, {
      why: "It says itself how long to wait. An account's token has higher limits.",
      next: ["export HF_TOKEN=<token>"],
    });
  }
  if (status === 408 || status >= 500) {
    const remedy = waitMs === null ? again : ({ kind: "wait", waitMs } as const);
    return new DownloadTrouble("server_error", remedy, `the server answered ${status}`);
  }
  return null;
}

export interface HubQuestion {
  readonly repository: string;
  /** Null: the repository itself. */
  readonly path: string | null;
  readonly hasToken: boolean;
  /** For people: where the repository's page is. */
  readonly page: string;
}

/** A refusal of the Hub itself, by status and `X-Error-Code`. */
export function hubRefusal(status: number, headers: Headers, question: HubQuestion, nowMs: number): DownloadTrouble {
  const { repository, path, hasToken, page } = question;
  const code = headerOf(headers, "x-error-code") ?? "";
  const busy = busyRefusal(status, headers, nowMs);
  if (busy !== null) return busy;
  const tokenStep = hasToken ? [] : ["export HF_TOKEN=<token>"];
  if (code === "GatedRepo" || (status === 403 && code === "")) {
    return new DownloadTrouble("gated", never, `${repository} is only for people its owner has let in.`, {
      why: `${hasToken ? "The token's account is not one of them." : "No token was sent."} Ask at ${page}, then pull again.`,
      next: tokenStep,
    });
  }
  if (code === "RepoNotFound" || (status === 404 && path === null && code !== "RevisionNotFound")) {
    return new DownloadTrouble("not_found", never, `There is no repository ${repository}.`, {
      why: hasToken ? "Or the token may not see it." : "Or it is private, and no token was sent.",
      next: tokenStep,
    });
  }
  if (code === "RevisionNotFound") {
    return new DownloadTrouble("not_found", never, `${repository} has no such revision.`, { why: `Look at ${page}.` });
  }
  if (status === 404 || code === "EntryNotFound") {
    return new DownloadTrouble("not_found", never, `${repository} has no file ${path ?? ""}.`, {
      why: `Look at ${page}.`,
    });
  }
  if (status === 401 || status === 403) {
    return new DownloadTrouble("unauthorized", never, `The Hub refuses ${repository}.`, {
      why: hasToken
        ? "It does not accept the token of HF_TOKEN or of the token file."
        : "It wants a token, and none was sent.",
      next: tokenStep,
    });
  }
  return new DownloadTrouble("server_error", doubt, `The Hub answered ${status}.`);
}

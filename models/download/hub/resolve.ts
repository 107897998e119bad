/**
 * One file of a repository: where its bytes lie just now, how many they are, what their SHA-256 must be. Runs in the server
 * process and in commands.
 *
 * The Hub answers the question for a large file with a redirect to its storage, and says hash, length and commit beside it.
 * The link is signed and ends; the facts are kept.
 */
import { isCommit, isSha256 } from "../names.ts";
import { DownloadTrouble, doubt } from "../trouble.ts";
import { type Answer, discard, type HubCalls } from "./calls.ts";
import { hubUrl, inPath } from "./endpoint.ts";
import { type HubQuestion, headerOf, hubRefusal } from "./refusals.ts";

export interface FileQuestion {
  readonly repository: string;
  /** A commit, once it is known. */
  readonly revision: string;
  readonly path: string;
}

export interface ResolvedFile {
  /** Of the bytes; signed, and good for a while only. */
  readonly link: URL;
  /** Null: a mirror that does not say. */
  readonly sha256: string | null;
  readonly bytes: number | null;
  readonly commit: string | null;
}

export async function resolveFile(calls: HubCalls, file: FileQuestion, signal: AbortSignal): Promise<ResolvedFile> {
  const { endpoint } = calls.hub;
  const { repository, revision, path } = file;
  const url = hubUrl(endpoint, `${inPath(repository)}/resolve/${encodeURIComponent(revision)}/${inPath(path)}`);
  let link: URL | null = null;
  const answer = await calls.call(url, {
    method: "HEAD",
    signal,
    // A repository that was renamed leads on within the Hub; what leads elsewhere is the link.
    stopAt: (target, reply) => {
      const leadsAway = target.origin !== endpoint.origin || headerOf(reply.headers, "x-linked-etag") !== undefined;
      if (leadsAway) link = target;
      return leadsAway;
    },
  });
  discard(answer.body);
  if (link === null && answer.status !== 200) {
    throw hubRefusal(answer.status, answer.headers, questionOf(calls, file), calls.clock.now());
  }
  return { link: link ?? answer.url, ...factsOf(answer, link === null) };
}

export function questionOf(
  calls: HubCalls,
  file: Pick<FileQuestion, "repository"> & { path: string | null },
): HubQuestion {
  const { endpoint, token } = calls.hub;
  const page = hubUrl(endpoint, inPath(file.repository)).href;
  return { repository: file.repository, path: file.path, hasToken: token !== null, page };
}

function factsOf({ headers }: Answer, servesItself: boolean): Omit<ResolvedFile, "link"> {
  const linkedEtag = headerOf(headers, "x-linked-etag");
  const length = headerOf(headers, "x-linked-size") ?? (servesItself ? headerOf(headers, "content-length") : undefined);
  const commit = headerOf(headers, "x-repo-commit") ?? "";
  const hash = (linkedEtag ?? "").replace(/^W\//, "").replaceAll('"', "").toLowerCase();
  if (servesItself && /^text\/html/i.test(headerOf(headers, "content-type") ?? "")) throw notTheHub();
  return {
    sha256: isSha256(hash) ? hash : null,
    bytes: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null,
    commit: isCommit(commit) ? commit : null,
  };
}

function notTheHub(): DownloadTrouble {
  return new DownloadTrouble("not_the_file", doubt, "A web page came instead of the file.", {
    why: "Is there a sign-in page between this box and the Hub?",
  });
}

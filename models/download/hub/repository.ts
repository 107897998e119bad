/** What is in a repository: the commit of a revision, and all files of a commit. Runs in the server process and in commands. */
import { z } from "zod";
import { isCommit, isSha256 } from "../names.ts";
import { DownloadTrouble, never } from "../trouble.ts";
import { type Answer, discard, type HubCalls, readJson } from "./calls.ts";
import { hubUrl, inPath } from "./endpoint.ts";
import { headerOf, hubRefusal } from "./refusals.ts";
import { questionOf } from "./resolve.ts";

export interface RepositoryFile {
  readonly path: string;
  readonly bytes: number;
  /** Null: a small file that the Hub keeps in git. */
  readonly sha256: string | null;
}

/** A repository of more pages is not one model's. A page has up to 1,000 entries. */
const mostPages = 50;

const revisionAnswer = z.object({ sha: z.string() });
const treeAnswer = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().nonnegative(),
    lfs: z.object({ oid: z.string(), size: z.int().nonnegative() }).nullish(),
  }),
);

async function ask(calls: HubCalls, url: URL, repository: string, signal: AbortSignal): Promise<Answer> {
  const answer = await calls.call(url, { method: "GET", headers: { accept: "application/json" }, signal });
  if (answer.status === 200) return answer;
  discard(answer.body);
  throw hubRefusal(answer.status, answer.headers, questionOf(calls, { repository, path: null }), calls.clock.now());
}

async function read<Shape>(shape: z.ZodType<Shape>, answer: Answer): Promise<Shape> {
  const parsed = shape.safeParse(await readJson(answer));
  if (parsed.success) return parsed.data;
  throw new DownloadTrouble("not_the_file", never, "The Hub answered in a shape that is not known.");
}

/** The commit a branch or tag stands for now. */
export async function resolveCommit(
  calls: HubCalls,
  repository: string,
  revision: string,
  signal: AbortSignal,
): Promise<string> {
  if (isCommit(revision)) return revision;
  const url = hubUrl(calls.hub.endpoint, `api/models/${inPath(repository)}/revision/${encodeURIComponent(revision)}`);
  const { sha } = await read(revisionAnswer, await ask(calls, url, repository, signal));
  if (isCommit(sha)) return sha;
  throw new DownloadTrouble("not_the_file", never, "The Hub names a commit that is none.");
}

/** Every file of a commit. */
export async function listFiles(
  calls: HubCalls,
  repository: string,
  commit: string,
  signal: AbortSignal,
): Promise<readonly RepositoryFile[]> {
  const { endpoint } = calls.hub;
  const files: RepositoryFile[] = [];
  let url: URL | null = hubUrl(endpoint, `api/models/${inPath(repository)}/tree/${commit}?recursive=true&expand=true`);
  for (let page = 0; url !== null; page += 1) {
    if (page >= mostPages) throw new DownloadTrouble("not_the_file", never, `${repository} has too many files.`);
    const answer: Answer = await ask(calls, url, repository, signal);
    for (const entry of await read(treeAnswer, answer)) {
      if (entry.type !== "file") continue;
      const oid = entry.lfs?.oid.replace(/^sha256:/, "").toLowerCase() ?? "";
      files.push({ path: entry.path, bytes: entry.lfs?.size ?? entry.size, sha256: isSha256(oid) ? oid : null });
    }
    url = nextPage(headerOf(answer.headers, "link"), url, endpoint);
  }
  return files;
}

/** The `rel="next"` of a Link header; pages are the Hub's own, so it must stay there. */
function nextPage(link: string | undefined, from: URL, endpoint: URL): URL | null {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (target === undefined || !URL.canParse(target, from.href)) return null;
  const next = new URL(target, from);
  if (next.origin === endpoint.origin) return next;
  throw new DownloadTrouble("redirect_refused", never, "The Hub's list of files goes on at another host.");
}

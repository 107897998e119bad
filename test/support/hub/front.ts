/** The Hub's own host: revisions, lists of files, and links to the storage with what is known of a file. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HubMeter } from "./meter.ts";
import type { Script } from "./script.ts";
import type { Repository, ShelvedFile } from "./shelf.ts";

/** Entries of one page of a list: few, so that every list of some length has several. */
const pageEntries = 3;

export interface FrontParts {
  readonly shelf: ReadonlyMap<string, Repository>;
  readonly script: () => Script;
  readonly meter: () => HubMeter;
  readonly used: Map<string, number>;
  /** A signed address in the storage. */
  link(file: ShelvedFile): string;
}

/** How often something of the script was used up, this time included. */
export function count(used: Map<string, number>, what: string): number {
  const times = (used.get(what) ?? 0) + 1;
  used.set(what, times);
  return times;
}

export function sayWait(response: ServerResponse, limits: NonNullable<Script["rateLimits"]>): void {
  const { as, seconds } = limits;
  if (as === "retry-after") response.setHeader("retry-after", String(seconds));
  if (as === "date") response.setHeader("retry-after", new Date(Date.now() + seconds * 1000).toUTCString());
  response.setHeader("ratelimit", `"api";r=100;t=900, "resolvers";r=0;t=${as === "ratelimit" ? seconds : 900}`);
  response.writeHead(429).end("slow down");
}

export function serveFront(parts: FrontParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    parts.meter().saw(request.headers.host ?? "", `${request.method} ${url.pathname}`, request.headers.authorization);
    const script = parts.script();
    const { rateLimits } = script;
    if (rateLimits?.where === "hub" && count(parts.used, "hub 429") <= rateLimits.count) {
      sayWait(response, rateLimits);
      return;
    }
    const refuse = (status: number, code: string) => {
      response.setHeader("x-error-code", code);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error: code }));
    };
    const path = decodeURIComponent(url.pathname);
    const moved = Object.entries(script.renamed ?? {}).find(([old]) => path.includes(`/${old}/`));
    if (moved !== undefined) {
      response.writeHead(307, { location: path.replace(moved[0], moved[1]) + url.search }).end();
      return;
    }
    const [, api, owner = "", name = "", what = "", revision = "", rest] =
      /^(\/api\/models)?\/([^/]+)\/([^/]+)\/(resolve|revision|tree)\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];
    const repository = parts.shelf.get(`${owner}/${name}`);
    const { gate } = script;
    if (gate !== undefined && request.headers.authorization !== `Bearer ${gate.token}`) {
      refuse(gate.status, gate.code);
      return;
    }
    if (repository === undefined) refuse(404, "RepoNotFound");
    else if (revision !== "main" && revision !== repository.commit) refuse(404, "RevisionNotFound");
    else if (api !== undefined && what === "revision") sendJson(response, { sha: repository.commit });
    else if (api !== undefined && what === "tree") sendPage(response, url, repository, script);
    else {
      const file = repository.files.find((one) => one.path === rest);
      if (file === undefined) refuse(404, "EntryNotFound");
      else sendLink(parts, response, url, repository, file);
    }
  };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function sendPage(response: ServerResponse, url: URL, { files }: Repository, script: Script): void {
  const from = Number(url.searchParams.get("cursor") ?? 0);
  if (from + pageEntries < files.length) {
    const next = new URL(url);
    next.searchParams.set("cursor", String(from + pageEntries));
    response.setHeader("link", `<${next.href}>; rel="next"`);
  }
  const entries = files.slice(from, from + pageEntries).map(({ path, bytes, sha256 }) => {
    const oid = createHash("sha1").update(path).digest("hex");
    // The Hub keeps large files outside git, and only of those it says a SHA-256.
    const lfs = script.listsNoHash === true ? {} : { lfs: { oid: sha256, size: bytes, pointerSize: 134 } };
    return { type: "file", path, size: bytes, oid, ...lfs };
  });
  const hostile = (from === 0 ? (script.listsAlso ?? []) : []).map((path) => ({
    type: "file",
    path,
    size: 1000,
    oid: "0",
    lfs: { oid: "a".repeat(64), size: 1000, pointerSize: 134 },
  }));
  entries.unshift(...hostile);
  sendJson(response, [...(from === 0 ? [{ type: "directory", path: "folder", size: 0, oid: "0" }] : []), ...entries]);
}

function sendLink(
  { script, used, link }: FrontParts,
  response: ServerResponse,
  url: URL,
  { commit }: Repository,
  file: ShelvedFile,
): void {
  const { redirect, saysNothing, otherHashFrom } = script();
  const isOther = otherHashFrom !== undefined && count(used, "resolved") >= otherHashFrom;
  const sha256 = isOther ? createHash("sha256").update(file.sha256).digest("hex") : file.sha256;
  if (saysNothing !== true) {
    response.setHeader("x-linked-etag", `"${sha256}"`);
    response.setHeader("x-linked-size", String(file.bytes));
    response.setHeader("x-repo-commit", commit);
    response.setHeader("x-xet-hash", createHash("sha256").update("xet").digest("hex"));
  }
  let location = link(file);
  if (redirect === "loop") {
    // A loop within the Hub is followed, so nothing may look like a link.
    for (const name of ["x-linked-etag", "x-linked-size"]) response.removeHeader(name);
    location = url.pathname;
  }
  if (redirect === "elsewhere") location = location.replace("/blob/", "/forward/");
  if (typeof redirect === "object") location = redirect.to;
  response.writeHead(302, { location }).end();
}

/**
 * Which Hub is asked, and as whom: `hub.endpoint`, `HF_ENDPOINT`, `HF_TOKEN` and the token file that other tools of the Hub
 * share. Runs in the server process and in commands; reads one file.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../../server/domain/failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface HubSettings {
  /** Ends with a slash. */
  readonly endpoint: URL;
  readonly token: string | null;
}

export const publicEndpoint = "https://huggingface.co";

/** `configured` is `hub.endpoint`; empty: the environment's, else the public one. Throws Failure `cannot_start`. */
export function readHubSettings(configured: string, environment: Environment): HubSettings {
  const text = configured || environment.HF_ENDPOINT?.trim() || publicEndpoint;
  return { endpoint: readEndpoint(text, configured ? "hub.endpoint" : "HF_ENDPOINT"), token: readToken(environment) };
}

function readEndpoint(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:") || url.username !== "") {
    throw new Failure("cannot_start", `The address of the Hub in ${where} cannot be used.`, {
      why: "It must begin with https:// or http://, without a user.",
      next: [where === "HF_ENDPOINT" ? "unset HF_ENDPOINT" : "unset LANTHORN_HUB_ENDPOINT"],
      param: where,
    });
  }
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** A header's value: what could end a line never goes into one. */
function usable(text: string | undefined): string | null {
  const token = text?.trim() ?? "";
  return /^[\x21-\x7e]{1,1000}$/.test(token) ? token : null;
}

function readToken(environment: Environment): string | null {
  const given = usable(environment.HF_TOKEN);
  if (given !== null) return given;
  const hubHome =
    environment.HF_HOME?.trim() || join(environment.XDG_CACHE_HOME?.trim() || join(homedir(), ".cache"), "huggingface");
  try {
    return usable(readFileSync(environment.HF_TOKEN_PATH?.trim() || join(hubHome, "token"), "utf8"));
  } catch {
    return null;
  }
}

/** An address of the Hub's own; what is put into `path` went through `inPath` or `encodeURIComponent`. */
export function hubUrl(endpoint: URL, path: string): URL {
  return new URL(path, endpoint);
}

/** Checked names with slashes between them, written so that none can become another part of an address. */
export function inPath(names: string): string {
  return names.split("/").map(encodeURIComponent).join("/");
}

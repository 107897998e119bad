/**
 * Who listens on a port of this machine: a Lanthorn says so itself, and of another program Linux tells the name. Runs in
 * the server and the CLI, only after a port was found taken. Speaks to this machine's own port and nobody else.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";

export interface PortHolder {
  /** The `box` that its `/health` gave; null: it is no Lanthorn, or does not answer. */
  readonly box: string | null;
  /** Null: not told to this user. */
  readonly pid: number | null;
  readonly name: string | null;
}

/** It is on this machine, so an answer takes milliseconds; a program that says nothing is none of ours. */
const answerLimitMs = 1_000;
const longestAnswer = 4_096;

export async function portHolder(host: string, port: number): Promise<PortHolder> {
  const address = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  const answer = (await health(httpGet, "http", address, port)) ?? (await health(httpsGet, "https", address, port));
  return { box: boxOf(answer), ...listenerOf(port) };
}

function health(get: typeof httpGet | typeof httpsGet, scheme: string, host: string, port: number) {
  return new Promise<string | null>((resolve) => {
    const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/health`;
    const options = {
      agent: false,
      signal: AbortSignal.timeout(answerLimitMs),
      // Nothing secret is sent, and what comes back is believed for one sentence on a terminal.
      rejectUnauthorized: false,
    };
    const request = get(url, options, (response: IncomingMessage) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.length > longestAnswer) request.destroy();
      });
      response.on("end", () => resolve(text));
    });
    request.on("close", () => resolve(null));
    request.on("error", () => resolve(null));
  });
}

function boxOf(answer: string | null): string | null {
  try {
    const value: unknown = JSON.parse(answer ?? "");
    if (typeof value !== "object" || value === null || !("server" in value) || value.server !== "lanthorn") return null;
    return "box" in value && typeof value.box === "string" && /^[0-9a-f]{12}$/.test(value.box) ? value.box : null;
  } catch {
    return null;
  }
}

/** The inodes of sockets that listen on `port`, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    return state === "0A" && local.endsWith(`:${wanted}`) && inode !== "0" ? [inode] : [];
  });
}

function listenerOf(port: number): Pick<PortHolder, "pid" | "name"> {
  const nobody = { pid: null, name: null };
  const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeningInodes(tryRead(file), port));
  if (inodes.length === 0) return nobody;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of tryList("/proc").filter((entry) => /^\d+$/.test(entry))) {
    // Without the right to look into a process its list of files is empty here.
    const holds = tryList(`/proc/${pid}/fd`).some((file) => sockets.has(tryLink(`/proc/${pid}/fd/${file}`)));
    if (holds) return { pid: Number(pid), name: tryRead(`/proc/${pid}/comm`).trim() || null };
  }
  return nobody;
}

function tryRead(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function tryList(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function tryLink(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

/** `node (process 4711)`, `process 4711`, `another program`. */
export function programText({ pid, name }: Pick<PortHolder, "pid" | "name">): string {
  if (pid === null) return "another program";
  return name === null ? `process ${pid}` : `"${name}" (process ${pid})`;
}

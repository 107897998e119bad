/** The running server that `server.json` names: does it live, does it answer. Runs in the server and the CLI. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { ServerFile } from "./server-file.ts";

/** It is on this machine, so an answer takes milliseconds. */
const answerLimitMs = 2_000;

/** A process with this id exists, whoever owns it. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** It says that it can serve. */
export function isReady(server: ServerFile): Promise<boolean> {
  const get = server.url.startsWith("https:") ? httpsGet : httpGet;
  return new Promise((resolve) => {
    const options = {
      agent: false,
      signal: AbortSignal.timeout(answerLimitMs),
      // Only a status is asked for, of this machine's own port.
      rejectUnauthorized: false,
    };
    const request = get(`${server.url}/ready`, options, (response) => {
      resolve(response.statusCode === 200);
      request.destroy();
    });
    request.on("error", () => resolve(false));
  });
}

/**
 * Starts what a carried-out image would start, as its user, and uses it: health, a chat without and with a key, SIGTERM. On loopback and
 * a free port, which is the only thing that is different from the image's own settings.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "../child.js";
import { type Built, environmentOnto, onto } from "./carry-out.ts";

export interface Tried {
  readonly readyMs: number;
  readonly stopMs: number;
  /** Tokens of the chat's answer. */
  readonly tokens: number;
  readonly ranAs: number;
}

const startLimitMs = 60_000;
const answerLimitMs = 60_000;

/** Throws an Error with what the server wrote where something is not as it should be. `uid`: whom it must run as, where we are root. */
export async function tryServer(built: Built, uid: number): Promise<Tried> {
  const [program = "", ...args] = [...built.entrypoint, ...built.command].map((word) => onto(word, built));
  const isRoot = process.getuid?.() === 0;
  const options = {
    cwd: join(built.root, built.workFolder),
    // Nothing of this machine's environment: what the image brings has to be enough.
    env: { PATH: "/usr/bin:/bin", ...environmentOnto(built), LANTHORN_HOST: "127.0.0.1", LANTHORN_PORT: "0" },
    ...(isRoot && built.user !== null ? built.user : {}),
  };
  const startedMs = performance.now();
  const server = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(server, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let written = "";
  const insist = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`${what}\n${written.trimEnd()}`);
  };
  try {
    const url = await new Promise<string>((found, failed) => {
      const timer = setTimeout(
        () => failed(new Error(`not ready after ${startLimitMs} ms:\n${written}`)),
        startLimitMs,
      );
      for (const stream of [server.stdout, server.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          written += text;
          const ready = /^Ready\s+(https?:\/\/127\.0\.0\.1:\d+)/m.exec(written)?.[1];
          if (ready === undefined) return;
          clearTimeout(timer);
          found(ready);
        });
      }
      server.once("error", failed);
      void ended.then(([code]) => failed(new Error(`the server ended with ${code} before it was ready:\n${written}`)));
    });
    const readyMs = performance.now() - startedMs;
    const health = () =>
      runQuietly(
        onto(built.health[0] ?? "", built),
        built.health.slice(1).map((word) => onto(word, built)),
        options,
      );
    insist((await fetch(`${url}/health`)).status === 200, "/health does not answer 200.");
    insist((await health()).code === 0, "HEALTHCHECK says that a healthy server is not.");

    const keyFile = join(built.root, "data", "admin.key");
    const key = readFileSync(keyFile, "utf8").trim();
    insist((statSync(keyFile).mode & 0o777) === 0o600, "The admin key's file can be read by others.");
    const chat = (headers: Record<string, string>) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ model: "lanthorn-demo", messages: [{ role: "user", content: "hi" }], max_tokens: 3 }),
        signal: AbortSignal.timeout(answerLimitMs),
      });
    insist((await chat({})).status === 401, "A chat without a key is not refused with 401.");
    const answer = await chat({ authorization: `Bearer ${key}` });
    const body = (await answer.json()) as { usage?: { completion_tokens: number } };
    insist(answer.status === 200, `A chat with the key is answered with ${answer.status}: ${JSON.stringify(body)}`);
    insist(!written.includes(key), "The admin key stands in what the server wrote.");

    const askedMs = performance.now();
    server.kill("SIGTERM");
    const [code] = await ended;
    insist(code === 0, `SIGTERM ends it with status ${code}.`);
    const stopMs = performance.now() - askedMs;
    insist((await health()).code === 1, "HEALTHCHECK says that an ended server is healthy.");
    const ranAs = statSync(keyFile).uid;
    insist(!isRoot || ranAs === uid, `It ran as user ${ranAs}.`);
    return { readyMs, stopMs, tokens: body.usage?.completion_tokens ?? 0, ranAs };
  } finally {
    if (server.exitCode === null && server.signalCode === null) server.kill("SIGKILL");
  }
}

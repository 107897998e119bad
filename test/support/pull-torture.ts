/**
 * A pull through everything at once: the storage cuts ten answers at many points, and the pulling process is killed twice
 * with SIGKILL. The stand-in Hub counts what it served and who saw the token.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { partBytesFor } from "../../models/download/ranges.ts";
import { writeFilledGguf } from "./filled-gguf.ts";
import { startHub } from "./hub/hub.ts";
import { bin } from "./running-server.ts";

export interface TortureWishes {
  /** A folder of the caller's, removed by it. */
  readonly folder: string;
  readonly bytes: number;
  readonly cuts: number;
  readonly kills: number;
  /** The network is the narrow place, as it is at home: otherwise the sockets' buffers hold what nobody received. */
  readonly bytesPerSecond: number;
}

export interface TortureResult {
  readonly exitCode: number | null;
  readonly killed: number;
  readonly cut: number;
  readonly fileBytes: number;
  readonly servedBytes: number;
  readonly twiceBytes: number;
  /** 2 % of the file and one part. */
  readonly allowedBytes: number;
  readonly isVerified: boolean;
  /** Hosts that saw the token, of all that were asked. */
  readonly tokenHosts: readonly string[];
  readonly askedHosts: readonly string[];
  readonly hubHost: string;
  /** Names in `models/` at each kill: nothing half-done is ever there. */
  readonly modelsAtKills: readonly string[];
  readonly lastWords: string;
}

async function sha256Of(path: string): Promise<string> {
  if (!existsSync(path)) return "";
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

export async function pullTorture(wishes: TortureWishes): Promise<TortureResult> {
  const { folder, bytes, cuts, kills, bytesPerSecond } = wishes;
  const file = writeFilledGguf(join(folder, "hub/acme/coder-GGUF/coder-Q4_K_M.gguf"), bytes);
  const partBytes = partBytesFor(file.bytes);
  const answers = Math.ceil(file.bytes / partBytes);
  // Spread over the answers; each at another point, the first byte and the last kilobyte among them.
  const gap = Math.max(1, Math.floor(answers / cuts));
  const cutsAfterBytes = Array.from({ length: cuts * gap }, (_, index) =>
    index % gap === 0
      ? Math.floor(((index / gap) * (partBytes - 1000)) / Math.max(1, cuts - 1))
      : Number.POSITIVE_INFINITY,
  );
  const hub = await startHub({ folder: join(folder, "hub"), script: { cutsAfterBytes, bytesPerSecond } });
  const home = join(folder, "home");
  const models = join(home, "models");
  mkdirSync(models, { recursive: true });
  let child: ChildProcess | null = null;
  const modelsAtKills: string[] = [];
  let lastWords = "";
  const start = (): ChildProcess => {
    const started = spawn(process.execPath, [bin, "models", "pull", "acme/coder-GGUF", "--json"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        PATH: process.env.PATH ?? "",
        LANTHORN_HOME: home,
        HF_ENDPOINT: hub.url,
        HF_TOKEN: "hf_torture",
        LANTHORN_DOWNLOADS_KEEP_FREE_BYTES: "0",
      },
    });
    started.stderr?.setEncoding("utf8").on("data", (text: string) => {
      lastWords += text;
    });
    child = started;
    return started;
  };
  try {
    let killed = 0;
    let running = start();
    let exited = once(running, "exit");
    while (killed < kills) {
      const mark = (file.bytes * (killed + 1)) / (kills + 1);
      while (hub.meter.bytes() < mark && running.exitCode === null) await pause(2);
      if (running.exitCode !== null) break;
      running.kill("SIGKILL");
      await exited;
      killed += 1;
      modelsAtKills.push(...readdirSync(models));
      running = start();
      exited = once(running, "exit");
    }
    await exited;
    const servedBytes = hub.meter.bytes();
    const cut = hub.meter.ranges.filter((_, index) => Number.isFinite(cutsAfterBytes[index])).length;
    return {
      exitCode: running.exitCode,
      killed,
      cut,
      fileBytes: file.bytes,
      servedBytes,
      twiceBytes: servedBytes - file.bytes,
      allowedBytes: file.bytes * 0.02 + partBytes,
      isVerified: (await sha256Of(join(models, "coder-Q4_K_M.gguf"))) === file.sha256,
      tokenHosts: [...hub.meter.hosts].filter(([, seen]) => seen.withToken > 0).map(([host]) => host),
      askedHosts: [...hub.meter.hosts.keys()],
      hubHost: new URL(hub.url).host,
      modelsAtKills,
      lastWords,
    };
  } finally {
    (child as ChildProcess | null)?.kill("SIGKILL");
    await hub.close();
  }
}

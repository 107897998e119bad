/**
 * Our side of the gateway bench: the shipped command in a data folder of its own, with the upstream as a custom provider, priced
 * models, a key and limits that count without ever refusing. Asked through its own surface what it wrote and how it fared.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { z } from "zod";
import { dataPaths } from "../../../server/platform/paths.ts";
import { removeFolder, temporaryFolder } from "../folders.ts";
import { repositoryRoot } from "../models.ts";
import { type BenchChild, freePort, startChild, waitForOk } from "../processes.ts";

const readyLimitMs = 60_000;
const provider = "bench";

export interface Gateway {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Of each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What it calls a model of the upstream. */
  modelOf(upstreamModel: string): string;
  stop(): Promise<void>;
}

export interface Lanthorn extends Gateway {
  /** Milliseconds by which 99 of 100 looks at the event loop were late since this was last asked. */
  loopLateMs(): Promise<number>;
  /** Requests of the bench's key in the ledger, as `usage summary` says. */
  ledgerRows(): Promise<number>;
  /** An answer of its admin API, as text. */
  read(path: string): Promise<string>;
}

/** `ledgerFile`: a ledger to go on with, where it lies; absent: an empty one. */
export async function startLanthorn(
  upstreamOrigin: string,
  models: readonly string[],
  ledgerFile?: string,
): Promise<Lanthorn> {
  const port = await freePort();
  const home = temporaryFolder();
  writeFileSync(join(home, "lanthorn.yaml"), stringify(settings(upstreamOrigin, models)), { mode: 0o600 });
  if (ledgerFile !== undefined) symlinkSync(ledgerFile, dataPaths({ LANTHORN_HOME: home }).ledger);
  const program = join(repositoryRoot, "build", "lanthorn.js");
  // By the environment: a ledger to go on with has an admin key already, whose file went with its folder.
  const adminKey = randomBytes(24).toString("hex");
  const environment = { ...process.env, LANTHORN_HOME: home, LANTHORN_ADMIN_KEY: adminKey };
  // For profiles: `--cpu-prof --cpu-prof-dir=…`.
  const flags = process.env.BENCH_SERVER_FLAGS?.split(" ") ?? [];
  const child: BenchChild = startChild(
    "lanthorn",
    process.execPath,
    [...flags, program, "serve", "--port", String(port)],
    { cwd: repositoryRoot, env: environment },
  );
  const stop = async () => {
    await child.stop();
    removeFolder(home);
  };
  const origin = `http://127.0.0.1:${port}`;
  const admin = async (path: string, body: object | null = null): Promise<string> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${adminKey}` };
    const init = body === null ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${origin}${path}`, init);
    if (!response.ok) throw new Error(`lanthorn: ${path} answered ${response.status}: ${await response.text()}`);
    return await response.text();
  };
  try {
    await waitForOk(child, `${origin}/ready`, readyLimitMs);
    const { secret } = z
      .object({ secret: z.string() })
      .parse(JSON.parse(await admin("/admin/keys", { name: "bench" })));
    return {
      name: "Lanthorn",
      port,
      pid: child.pid,
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      modelOf: (model) => `${provider}/${model}`,
      read: (path) => admin(path),
      loopLateMs: async () => {
        const found = /^lanthorn_event_loop_lag_seconds\{quantile="0\.99"\} (\S+)$/m.exec(await admin("/metrics"));
        return Number(found?.[1] ?? Number.NaN) * 1000;
      },
      ledgerRows: async () => {
        const args = [program, "usage", "summary", "--json"];
        const env = { ...environment, LANTHORN_API_KEY: adminKey };
        const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: repositoryRoot });
        return summary.parse(JSON.parse(stdout)).total.requests;
      },
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

const summary = z.object({ total: z.object({ requests: z.int() }) });

/** Every limit there is, each too wide to refuse anything. */
function settings(upstreamOrigin: string, models: readonly string[]): object {
  const wide = { requestsPerMinute: 100_000_000, tokensPerMinute: 1_000_000_000, concurrent: 10_000 };
  return {
    auth: "always",
    providers: {
      [provider]: { type: "custom", baseUrl: `${upstreamOrigin}/v1`, models: models.map((id) => ({ id })) },
    },
    prices: models.map((model) => ({ provider, model, prompt: "1", completion: "4" })),
    limits: { ...wide, persons: { "*": wide }, models: { "*": wide }, providers: { "*": wide } },
  };
}

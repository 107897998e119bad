/** Portkey's open gateway, installed from npm into `.cache/portkey` at one exact version and started as its own start script does. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "../models.ts";
import { type BenchChild, freePort, startChild, waitForOk } from "../processes.ts";

const packageName = "@portkey-ai/gateway";
const version = "1.15.2";
const folder = join(repositoryRoot, ".cache", "portkey");
const startScript = join(folder, "node_modules", packageName, "build", "start-server.js");
const installLimitMs = 180_000;
const readyLimitMs = 30_000;

/** Installs it once. False, and a sentence, when npm cannot. */
export async function installPortkey(say: (sentence: string) => void): Promise<boolean> {
  if (existsSync(startScript)) return true;
  say(`Installing ${packageName}@${version} once.`);
  mkdirSync(folder, { recursive: true });
  try {
    await promisify(execFile)(
      "npm",
      [
        "install",
        "--prefix",
        folder,
        "--save-exact",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        `${packageName}@${version}`,
      ],
      { timeout: installLimitMs },
    );
    return true;
  } catch {
    say(`${packageName}@${version} could not be installed from npm: the gateway row is skipped.`);
    return false;
  }
}

export async function startPortkey(): Promise<BenchChild & { readonly origin: string }> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const preload = new URL("loopback-only.ts", import.meta.url).href;
  // Headless and production: without the page that shows every request, which would slow it down.
  const child = startChild(
    "portkey",
    process.execPath,
    ["--import", preload, startScript, `--port=${port}`, "--headless"],
    {
      env: { ...process.env, NODE_ENV: "production" },
    },
  );
  try {
    await waitForOk(child, `${origin}/`, readyLimitMs);
  } catch (thrown) {
    await child.stop();
    throw thrown;
  }
  return { ...child, origin };
}

/** What tells it to forward to the stub. 127.0.0.1 is among the custom hosts it trusts by default. */
export function portkeyHeaders(upstreamOrigin: string): Record<string, string> {
  return {
    authorization: "Bearer stub-key",
    "x-portkey-provider": "openai",
    "x-portkey-custom-host": `${upstreamOrigin}/v1`,
  };
}

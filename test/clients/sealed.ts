/**
 * Runs the harness once more in a world of its own, where the system lets us (Linux): a network that has nothing but loopback, so that no client
 * reaches anything outside, and a process tree that ends with the harness, so that no client outlives it.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

const mark = "LANTHORN_CLIENTS_SEALED";
const inside = 'ip link set lo up && exec "$@"';

/** True in the second run. */
export function isSealed(): boolean {
  return process.env[mark] === "1";
}

/** The exit code of the second run; null where it cannot be had. */
export async function runSealed(argv: readonly string[]): Promise<number | null> {
  const root = process.getuid?.() === 0;
  const options = [
    ...(root ? [] : ["--map-root-user"]),
    ...["--net", "--mount", "--pid", "--fork", "--kill-child=SIGTERM", "--mount-proc", "sh", "-c", inside, "sh"],
  ];
  if (process.platform !== "linux" || spawnSync("unshare", [...options, "true"]).status !== 0) return null;
  const child = spawn("unshare", [...options, process.execPath, ...argv], {
    env: { ...process.env, [mark]: "1" },
    stdio: "inherit",
  });
  // A Ctrl-C reaches the inner one too. A signal for us alone does not: it then hears of it by the death of what started it, and tidies up.
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      stopped = true;
      child.kill("SIGKILL");
    });
  }
  const [code] = await once(child, "exit");
  return typeof code === "number" && !stopped ? code : 130;
}

/** Starts the peer, llama.cpp's `llama-server` (path in LLAMA_SERVER), with the same file, threads and slots as ours. */
import { existsSync } from "node:fs";
import { freePort, startChild, waitForOk } from "./processes.ts";
import type { Contestant, ServerShape } from "./scenario.ts";

const readyLimitMs = 60_000;

/** The program, or the sentence that says why there is none. */
export function llamaServerProgram(): { readonly path: string } | { readonly missing: string } {
  const path = process.env.LLAMA_SERVER;
  if (!path)
    return {
      missing:
        "LLAMA_SERVER is not set: rows measured beside llama-server are skipped (docs/benchmarks.md says how to build it).",
    };
  if (!existsSync(path))
    return { missing: "LLAMA_SERVER names a file that does not exist: rows measured beside llama-server are skipped." };
  return { path };
}

export async function startLlamaServer(program: string, modelPath: string, shape: ServerShape): Promise<Contestant> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = startChild("llama-server", program, [
    ...["--model", modelPath, "--alias", "bench", "--host", "127.0.0.1", "--port", String(port)],
    ...["--threads", String(shape.threads), "--threads-batch", String(shape.threads)],
    // Its context option is the sum over the slots.
    ...["--parallel", String(shape.slots), "--ctx-size", String(shape.context * shape.slots)],
    "--no-warmup",
    // What it cannot have in our comparison: it is a CPU bench, and no request carries an image.
    ...["--n-gpu-layers", "0"],
  ]);
  try {
    await waitForOk(child, `${url}/health`, readyLimitMs);
  } catch (thrown) {
    await child.stop();
    throw thrown;
  }
  return {
    name: "llama-server",
    url,
    model: "bench",
    pid: child.pid,
    keys: async (names) => names.map(() => null),
    slotTokens: async (names) => names.map(() => 0),
    stop: () => child.stop(),
  };
}

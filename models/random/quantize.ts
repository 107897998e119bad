/**
 * Quantizes a model with llama.cpp's `llama-quantize`, where the machine has one: named by LLAMA_QUANTIZE, else found on the
 * PATH. Used by commands and benches; the product itself never needs it.
 */
import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** What to say where there is none. */
export const noQuantizer =
  "llama-quantize was not found. Set LLAMA_QUANTIZE to it or put it on the PATH (it is part of llama.cpp); the F16 file is usable without.";

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program's path, or null. */
export async function findQuantizer(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const named = environment.LLAMA_QUANTIZE;
  if (named !== undefined && named !== "") return (await isExecutable(named)) ? named : null;
  const file = process.platform === "win32" ? "llama-quantize.exe" : "llama-quantize";
  for (const folder of (environment.PATH ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, file)))) return join(folder, file);
  }
  return null;
}

/** Writes `target` in `kind` (`Q4_K_M`). Throws with the program's last words when it fails. */
export async function quantize(program: string, source: string, target: string, kind: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, [source, target, kind], { stdio: ["ignore", "pipe", "pipe"] });
    let lastWords = "";
    const keep = (text: Buffer): void => {
      lastWords = (lastWords + text.toString("utf8")).slice(-600);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`llama-quantize ended with ${code}: ${lastWords.trim()}`));
    });
  });
}

/**
 * Tries native code on model files in a process that may die of it: each file's vocabulary is loaded as the preparation
 * process does it, and asked for the tokens of a text. Runs in a test; the child is this same file.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadVocabulary } from "../../server/backends/engine/preparation/vocabulary.ts";
import type { VocabularyFile } from "../../server/backends/engine/preparation/protocol.ts";

/** `loaded`, `refused: why` (the library threw), or `died: how`. */
export type NativeOutcome = string;

export interface NativeTrial {
  outcomeOf(file: VocabularyFile): Promise<NativeOutcome>;
  close(): void;
}

const limitMs = 20_000;

/** One child for many files; a new one after each death. */
export function nativeTrial(): NativeTrial {
  const start = () =>
    fork(fileURLToPath(import.meta.url), { stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: [] });
  let child = start();
  return {
    async outcomeOf(file) {
      if (!child.connected) child = start();
      const controller = new AbortController();
      const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
      const { signal } = controller;
      const answered = once(child, "message", { signal }).then(([said]) => String(said));
      const died = once(child, "exit", { signal }).then(([code, by]) => `died: ${by ?? code}`);
      // Whichever comes second is given up, which is no fault.
      answered.catch(() => {});
      died.catch(() => {});
      child.send(file);
      const outcome = await Promise.race([answered, died]);
      controller.abort();
      clearTimeout(timer);
      return outcome;
    },
    close: () => child.kill("SIGKILL"),
  };
}

async function tryFile(file: VocabularyFile): Promise<NativeOutcome> {
  try {
    const vocabulary = await loadVocabulary(file);
    const tokens = vocabulary.tokenize("Hello wörld 🏮 <|im_start|>user\n", true);
    vocabulary.detokenize([...tokens]);
    return "loaded";
  } catch (thrown) {
    return `refused: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

if (import.meta.main && process.send !== undefined) {
  process.on("message", (file) => void tryFile(file as VocabularyFile).then((outcome) => process.send?.(outcome)));
}

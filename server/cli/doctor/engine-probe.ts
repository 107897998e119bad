/**
 * Loads the engine's native build as a worker would, without a model, and says what came of it. Runs in a process of its own,
 * started by `engine.ts`; a crash of native code ends only this.
 */
async function answer(): Promise<object> {
  try {
    const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
    const llama = await getLlama({
      gpu: "auto",
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
    });
    return {
      gpu: llama.gpu === false ? null : llama.gpu,
      cpuThreads: llama.cpuMathCores,
      release: llama.llamaCppRelease.release,
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

process.send?.(await answer());

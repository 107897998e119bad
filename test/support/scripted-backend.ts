/** A backend whose answers are written down: for tests of the rooms above the engine. */
import type { Backend } from "../../server/backends/backend.ts";
import type { ChatEvent, ChatRequest } from "../../server/domain/chat.ts";
import { noTimings, type Usage } from "../../server/domain/usage.ts";

export const someUsage: Usage = { promptTokens: 12, cachedTokens: 4, completionTokens: 3, reasoningTokens: 0 };

export const finished: ChatEvent = { type: "finished", finishReason: "stop", usage: someUsage, timings: noTimings };

export interface ScriptedBackend extends Backend {
  readonly asked: readonly ChatRequest[];
}

/** Each call takes the next script; a thrown Failure is a script of its own. Waits at `hold` until the signal aborts. */
export function scriptedBackend(
  id: string,
  models: readonly string[],
  scripts: readonly (readonly (ChatEvent | "hold")[] | Error)[],
): ScriptedBackend {
  const asked: ChatRequest[] = [];
  let calls = 0;
  return {
    id,
    kind: "engine",
    asked,
    served: () =>
      models.map((alias) => ({
        alias,
        capabilities: ["chat"],
        embeddingLength: null,
        fileName: `${alias}.gguf`,
        sizeBytes: 1,
        createdAtMs: 0,
        contextLength: 4_096,
        slots: 1,
        demo: false,
      })),
    count: () => Promise.resolve(1),
    chat: async function* (request, _context, signal) {
      asked.push(request);
      const script = scripts[calls] ?? [finished];
      calls += 1;
      if (script instanceof Error) throw script;
      for (const event of script) {
        if (event !== "hold") {
          yield event;
          continue;
        }
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        yield { type: "aborted", usage: someUsage, timings: noTimings };
        return;
      }
    },
    embed: async function* () {
      yield { type: "aborted", usage: someUsage, timings: noTimings };
    },
    rerank: async function* () {
      yield { type: "aborted", usage: someUsage, timings: noTimings };
    },
    health: () => ({ able: true, reason: "scripted" }),
    close: () => Promise.resolve(),
  };
}

/**
 * The engine with a played tongue: each prompt is really prepared, placed and computed by a model, one token is generated and thrown away, and then
 * the script answers. So cached tokens are the engine's own, and yet tools are called. Runs in the harness's process.
 */
import type { Backend } from "../../server/backends/backend.ts";
import type { ChatEvent, ChatRequest } from "../../server/domain/chat.ts";
import { isEnd } from "../../server/domain/chat.ts";
import type { Usage } from "../../server/domain/usage.ts";
import { newToolCallId } from "../../server/platform/ids.ts";
import type { Script } from "./scripts.ts";

export interface Prefilled {
  readonly request: ChatRequest;
  readonly usage: Usage;
  readonly prefillMs: number;
}

export interface PrefilledBackend extends Backend {
  play(script: Script): void;
  /** Requests that were computed since the last call, oldest first. */
  takeComputed(): readonly Prefilled[];
}

/** `alter` may change each request before it is computed; it is told which one it is, from 1. */
export function prefilledBackend(
  engine: Backend,
  first: Script,
  alter: (request: ChatRequest, number: number) => ChatRequest = (request) => request,
): PrefilledBackend {
  let script = first;
  let seen = 0;
  let computed: Prefilled[] = [];
  return {
    ...engine,
    play: (next) => {
      script = next;
    },
    takeComputed: () => {
      const taken = computed;
      computed = [];
      return taken;
    },
    chat: async function* (asked, context, signal): AsyncIterable<ChatEvent> {
      seen += 1;
      const request = alter(asked, seen);
      const prompt: ChatRequest = {
        ...request,
        maxTokens: 1,
        stop: [],
        // Forced calls and JSON change the grammar only, never the prompt; "none" would take the tools out of it.
        toolChoice: { type: "auto" },
        responseFormat: { type: "text" },
      };
      for await (const event of engine.chat(prompt, context, signal)) {
        if (event.type === "accepted" || event.type === "started") yield event;
        if (!isEnd(event)) continue;
        if (event.type !== "finished") {
          yield event;
          return;
        }
        const { usage, timings } = event;
        computed.push({ request, usage, prefillMs: timings.prefillMs });
        const call = { number: computed.length, signal, toolCallId: newToolCallId() };
        for await (const spoken of script(asked, call)) {
          if (spoken.type === "accepted" || spoken.type === "started") continue;
          const counted = { ...usage, completionTokens: isEnd(spoken) ? spoken.usage.completionTokens : 0 };
          yield isEnd(spoken) ? { ...spoken, usage: counted, timings } : spoken;
        }
      }
    },
  };
}

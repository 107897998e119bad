/** A model that is kept busy: one answer as long as its context allows, until it is told to end. */
import { isEnd } from "../../server/domain/chat.ts";
import type { Engine } from "../../server/backends/engine/engine.ts";
import { chatRequest } from "./chat-request.ts";

export interface BusyModel {
  /** Tokens so far. */
  tokens(): number;
  /** Ends it; gives how it ended. */
  stop(): Promise<string>;
}

/** Resolves when the answer has begun. */
export async function keepBusy(engine: Engine, model: string, requestId: string): Promise<BusyModel> {
  const leaving = new AbortController();
  let tokens = 0;
  let begun = () => {};
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const read = async (): Promise<string> => {
    const request = chatRequest("hello", { model, ignoreEos: true, maxTokens: 100_000 });
    for await (const event of engine.chat(request, { requestId, callerName: "ayo" }, leaving.signal)) {
      if (event.type === "text") {
        tokens += 1;
        begun();
      }
      if (isEnd(event)) return event.type;
    }
    throw new Error("no end");
  };
  const ended = read();
  await Promise.race([started, ended]);
  return {
    tokens: () => tokens,
    stop: async () => {
      leaving.abort();
      return ended;
    },
  };
}

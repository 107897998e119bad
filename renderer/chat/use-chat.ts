/** The chat's doing: sends a question, reads the answer, stops it. Runs in the browser. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import { AskError, send } from "../api/ask.ts";
import { jsonPost } from "../api/queries.ts";
import { t } from "../words.ts";
import { readChat } from "./stream.ts";
import { applyOrder, type ChatOrder, type Conversation, history, isRunning } from "./turns.ts";

export interface Chat {
  readonly conversation: Conversation;
  readonly running: boolean;
  ask(text: string, model: string): void;
  /** Ends the running answer, on the server too. What was written stays. */
  stop(): void;
  clear(): void;
}

export function useChat(): Chat {
  const [conversation, dispatch] = useReducer(applyOrder, []);
  const abort = useRef<AbortController | null>(null);
  const running = isRunning(conversation);

  const stop = useCallback(() => {
    if (abort.current === null) return;
    abort.current.abort();
    abort.current = null;
    dispatch({ type: "stop" });
  }, []);

  // A closed page must not leave the server answering nobody.
  useEffect(() => () => abort.current?.abort(), []);

  const ask = (text: string, model: string) => {
    if (running) return;
    const controller = new AbortController();
    abort.current = controller;
    const messages = [...history(conversation), { role: "user", content: text }];
    dispatch({ type: "ask", text, model, atMs: performance.now() });
    void answer({ model, messages, stream: true, stream_options: { include_usage: true } }, controller, dispatch).then(
      () => {
        if (abort.current === controller) abort.current = null;
      },
    );
  };

  const clear = () => {
    stop();
    dispatch({ type: "clear" });
  };
  return { conversation, running, ask, stop, clear };
}

/** One request from sending to its end, as orders. Never throws. */
async function answer(body: object, controller: AbortController, dispatch: (order: ChatOrder) => void): Promise<void> {
  const { signal } = controller;
  const paced = pace(dispatch);
  try {
    const response = await send("/v1/chat/completions", jsonPost(body), signal);
    dispatch({ type: "accepted", requestId: response.headers.get("x-request-id") });
    if (response.body === null) throw new AskError(t("chat.cut"), response.status, null);
    for await (const update of readChat(response.body)) {
      if (signal.aborted) return;
      paced.add({ type: "updates", updates: [update], atMs: performance.now() });
    }
    paced.flush();
    if (!signal.aborted) dispatch({ type: "end", cutMessage: t("chat.cut") });
  } catch (error) {
    paced.flush();
    if (signal.aborted) return;
    if (!(error instanceof AskError)) return dispatch({ type: "end", cutMessage: t("chat.cut") });
    const message = error.status === 0 ? t("chat.unreachable") : error.message;
    dispatch({ type: "fail", message, requestId: error.requestId });
  }
}

/** Hands orders on once a frame: a fast model sends hundreds of pieces a second, and people see sixty. */
function pace(dispatch: (order: ChatOrder) => void): { add(order: ChatOrder): void; flush(): void } {
  let waiting: ChatOrder[] = [];
  let frame: number | null = null;
  const flush = () => {
    if (frame !== null) cancelAnimationFrame(frame);
    frame = null;
    const orders = waiting;
    waiting = [];
    for (const order of orders) dispatch(order);
  };
  return {
    add(order) {
      waiting.push(order);
      frame ??= requestAnimationFrame(flush);
    },
    flush,
  };
}

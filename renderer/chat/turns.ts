/**
 * A conversation and what can happen to it. Pure: every change is an order, time comes with the order. Runs in the
 * browser; nothing is kept beyond the tab.
 */
import type { ChatUpdate } from "./stream.ts";

export interface Question {
  readonly role: "user";
  readonly id: number;
  readonly text: string;
}

export type AnswerState =
  | { readonly type: "running" }
  | { readonly type: "done" }
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly message: string; readonly requestId: string | null };

/** All times are monotonic milliseconds of the browser. */
export interface Answer {
  readonly role: "assistant";
  readonly id: number;
  /** The alias that was asked. */
  readonly model: string;
  readonly text: string;
  readonly reasoning: string;
  readonly state: AnswerState;
  readonly sentAtMs: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** Pieces of content so far: about one a token, exact only once `usage` is there. */
  readonly pieces: number;
  readonly finishReason: string | null;
  readonly usage: {
    readonly promptTokens: number;
    readonly cachedTokens: number;
    readonly outputTokens: number;
  } | null;
  readonly target: string | null;
  readonly cost: string | null;
  readonly requestId: string | null;
}

export type Turn = Question | Answer;
export type Conversation = readonly Turn[];

export type ChatOrder =
  | { readonly type: "ask"; readonly text: string; readonly model: string; readonly atMs: number }
  | { readonly type: "accepted"; readonly requestId: string | null }
  | { readonly type: "updates"; readonly updates: readonly ChatUpdate[]; readonly atMs: number }
  | { readonly type: "stop" }
  | { readonly type: "fail"; readonly message: string; readonly requestId: string | null }
  /** The stream is over; without `[DONE]` before it, it was cut. */
  | { readonly type: "end"; readonly cutMessage: string }
  | { readonly type: "clear" };

export function applyOrder(conversation: Conversation, order: ChatOrder): Conversation {
  if (order.type === "clear") return [];
  if (order.type === "ask") {
    const id = (conversation.at(-1)?.id ?? 0) + 1;
    return [...conversation, { role: "user", id, text: order.text }, newAnswer(id + 1, order.model, order.atMs)];
  }
  const last = conversation.at(-1);
  if (last === undefined || last.role !== "assistant" || last.state.type !== "running") return conversation;
  return [...conversation.slice(0, -1), changed(last, order)];
}

function newAnswer(id: number, model: string, sentAtMs: number): Answer {
  return {
    role: "assistant",
    id,
    model,
    text: "",
    reasoning: "",
    state: { type: "running" },
    sentAtMs,
    firstAtMs: null,
    lastAtMs: null,
    pieces: 0,
    finishReason: null,
    usage: null,
    target: null,
    cost: null,
    requestId: null,
  };
}

function changed(answer: Answer, order: Exclude<ChatOrder, { type: "ask" | "clear" }>): Answer {
  switch (order.type) {
    case "accepted":
      return { ...answer, requestId: order.requestId };
    case "updates":
      return order.updates.reduce((so, update) => withUpdate(so, update, order.atMs), answer);
    case "stop":
      return { ...answer, state: { type: "stopped" } };
    case "fail":
      return {
        ...answer,
        state: { type: "failed", message: order.message, requestId: order.requestId ?? answer.requestId },
      };
    case "end":
      return { ...answer, state: { type: "failed", message: order.cutMessage, requestId: answer.requestId } };
  }
}

function withUpdate(answer: Answer, update: ChatUpdate, atMs: number): Answer {
  switch (update.type) {
    case "text":
    case "reasoning":
      return {
        ...answer,
        text: update.type === "text" ? answer.text + update.text : answer.text,
        reasoning: update.type === "reasoning" ? answer.reasoning + update.text : answer.reasoning,
        firstAtMs: answer.firstAtMs ?? atMs,
        lastAtMs: atMs,
        pieces: answer.pieces + 1,
      };
    case "finish":
      return { ...answer, finishReason: update.reason };
    case "usage": {
      const { promptTokens, cachedTokens, outputTokens } = update;
      return { ...answer, usage: { promptTokens, cachedTokens, outputTokens } };
    }
    case "closing":
      return { ...answer, target: update.target, cost: update.cost };
    case "failed":
      return { ...answer, state: { type: "failed", message: update.message, requestId: answer.requestId } };
    case "done":
      // A failure that was reported inside the stream stays the end of it.
      return answer.state.type === "running" ? { ...answer, state: { type: "done" } } : answer;
  }
}

export interface WireMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** What the next request says: every question that got an answer, with that answer, then the newest question. */
export function history(conversation: Conversation): readonly WireMessage[] {
  const messages: WireMessage[] = [];
  conversation.forEach((turn, index) => {
    if (turn.role === "assistant") {
      if (turn.text !== "") messages.push({ role: "assistant", content: turn.text });
      return;
    }
    const reply = conversation[index + 1];
    const unanswered = reply?.role === "assistant" && reply.text === "" && reply.state.type !== "running";
    // A question without an answer would make two in a row, which many templates refuse.
    if (!unanswered) messages.push({ role: "user", content: turn.text });
  });
  return messages;
}

/** True while the newest answer is being written. */
export function isRunning(conversation: Conversation): boolean {
  const last = conversation.at(-1);
  return last?.role === "assistant" && last.state.type === "running";
}

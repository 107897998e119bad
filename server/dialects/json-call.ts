/** One call with a JSON body, whose answer comes in the form that was asked for. Pure; shared by OpenAI's wires, called. */
import type { ChatRequest } from "../domain/chat.ts";
import type { WireCall } from "./called.ts";

export function jsonCall(path: string, { stream }: Pick<ChatRequest, "stream">, body: object): WireCall {
  return {
    path,
    headers: { "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json" },
    body: JSON.stringify(body),
  };
}

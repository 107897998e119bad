/** Reads a chat stream as a client does, keeping every frame. */
import { EventSourceParserStream } from "eventsource-parser/stream";

export interface ChatStream {
  readonly status: number;
  readonly headers: Headers;
  /** The whole body, comments included. */
  readonly body: string;
  /** `data:` of every event, in order; the terminator included. */
  readonly data: readonly string[];
  readonly text: string;
}

export function postChat(url: string, body: object, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
    body: JSON.stringify(body),
  });
}

/** Asks for a stream and reads it to its end. */
export async function readStream(url: string, body: object, init: RequestInit = {}): Promise<ChatStream> {
  const response = await postChat(url, { ...body, stream: true }, init);
  const raw = await response.text();
  const data = await eventsOf(raw);
  const text = data
    .filter((one) => one !== "[DONE]")
    .map((one) => contentOf(JSON.parse(one)))
    .join("");
  return { status: response.status, headers: response.headers, body: raw, data, text };
}

async function eventsOf(raw: string): Promise<string[]> {
  const events: string[] = [];
  const stream = new Blob([raw])
    .stream()
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const event of stream) events.push(event.data);
  return events;
}

function contentOf(chunk: unknown): string {
  if (typeof chunk !== "object" || chunk === null || !("choices" in chunk) || !Array.isArray(chunk.choices)) return "";
  const content: unknown = chunk.choices[0]?.delta?.content;
  return typeof content === "string" ? content : "";
}

/**
 * The one client of the benches: streams a chat completion over a fresh socket and notes when each piece arrived.
 * Runs in the bench process, on the same cores as both servers; its cost is the same for both.
 */
import { type IncomingMessage, request } from "node:http";
import { z } from "zod";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatOptions {
  readonly url: string;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly json?: boolean;
  /** Sent as a bearer key; null or absent: none. */
  readonly key?: string | null;
  /** JSON schema the answer must follow. */
  readonly schema?: object;
  readonly signal?: AbortSignal;
  /** Called for each piece of content, with its arrival. */
  readonly onToken?: (arrivalMs: number) => void;
}

/** All times are `performance.now()` milliseconds, taken when the bytes arrived. */
export interface ChatResult {
  readonly sentAtMs: number;
  /** Arrival of each non-empty piece of content; pieces of one network read share one time. */
  readonly arrivalsMs: readonly number[];
  readonly endedAtMs: number;
  readonly text: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly finishReason: string | null;
}

const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .optional(),
  usage: z
    .object({
      prompt_tokens: z.number(),
      completion_tokens: z.number(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
    })
    .nullish(),
  error: z.object({ message: z.string() }).optional(),
});
type Chunk = z.infer<typeof chunkSchema>;

/**
 * Greedy, past the end-of-turn token, with the prompt cache on: what both servers are asked alike. Rejects on a status
 * other than 200, on an error frame, and on a stream without usage (unless it was aborted).
 */
export async function streamChat(options: ChatOptions): Promise<ChatResult> {
  const arrivalsMs: number[] = [];
  const seen: { text: string; finishReason: string | null; usage: Chunk["usage"] } = {
    text: "",
    finishReason: null,
    usage: null,
  };
  const body = JSON.stringify({
    model: options.model,
    messages: options.messages,
    max_tokens: options.maxTokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
    ignore_eos: options.json !== true && options.schema === undefined,
    cache_prompt: true,
    ...(options.json === true ? { response_format: { type: "json_object" } } : {}),
    ...(options.schema === undefined
      ? {}
      : { response_format: { type: "json_schema", json_schema: { name: "bench", schema: options.schema } } }),
  });
  const sentAtMs = performance.now();
  const response = await post(`${options.url}/v1/chat/completions`, body, options.key ?? null, options.signal);
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${await readAll(response)}`);

  const take = (line: string, arrivalMs: number): void => {
    if (!line.startsWith("data: ") || line === "data: [DONE]") return;
    const chunk = chunkSchema.parse(JSON.parse(line.slice(6)));
    if (chunk.error !== undefined) throw new Error(`error frame: ${chunk.error.message}`);
    if (chunk.usage) seen.usage = chunk.usage;
    const choice = chunk.choices?.[0];
    if (choice?.finish_reason) seen.finishReason = choice.finish_reason;
    const content = choice?.delta?.content;
    if (content) {
      seen.text += content;
      arrivalsMs.push(arrivalMs);
      options.onToken?.(arrivalMs);
    }
  };
  let aborted = false;
  let rest = "";
  try {
    response.setEncoding("utf8");
    for await (const piece of response) {
      const arrivalMs = performance.now();
      const lines = (rest + String(piece)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(line.trimEnd(), arrivalMs);
    }
  } catch (thrown) {
    if (options.signal?.aborted !== true) throw thrown;
    aborted = true;
  }
  const { text, finishReason, usage } = seen;
  if (!usage && !aborted) throw new Error("the stream ended without usage");
  return {
    sentAtMs,
    arrivalsMs,
    endedAtMs: performance.now(),
    text,
    promptTokens: usage?.prompt_tokens ?? 0,
    cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    completionTokens: usage?.completion_tokens ?? arrivalsMs.length,
    finishReason,
  };
}

/** Milliseconds from sending the request to its first piece of content. */
export function ttftMs(result: ChatResult): number {
  const first = result.arrivalsMs[0];
  if (first === undefined) throw new Error("no content arrived");
  return first - result.sentAtMs;
}

function post(
  url: string,
  body: string,
  key: string | null,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A fresh socket each time: llama-server closes idle keep-alive sockets after about five seconds.
    const outgoing = request(url, {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const piece of response) text += String(piece);
  return text.slice(0, 500);
}

/** One event of a Messages stream as SSE text. Pure. Its clients go by `event:` and skip what has none. */

export function frame(data: { readonly type: string; readonly [field: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What is in front of a piece of text that is sent for every token, and what is behind it. */
export interface DeltaEnvelope {
  readonly before: string;
  readonly after: string;
}

export function deltaEnvelope(index: number, type: string, field: string): DeltaEnvelope {
  return {
    before:
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},` +
      `"delta":{"type":"${type}","${field}":`,
    after: "}}\n\n",
  };
}

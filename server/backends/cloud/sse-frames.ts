/** Stand-in until `server/dialects/sse-frames.ts` is there. */
import { createParser } from "eventsource-parser";
import type { UpstreamFrame } from "../../dialects/called.ts";

export function createFrameReader(onFrame: (frame: UpstreamFrame) => void, limits: { readonly mostBytes: number }) {
  const decoder = new TextDecoder();
  let waiting = 0;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      waiting = 0;
      onFrame({ event: event ?? null, data });
    },
    onComment: () => {
      waiting = 0;
    },
  });
  return {
    push(bytes: Uint8Array): void {
      waiting += bytes.length;
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (waiting > limits.mostBytes) throw new Error("a frame is too large");
    },
  };
}

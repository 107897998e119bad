/**
 * Bytes of an event stream, cut anywhere, → frames. Pure, around eventsource-parser; shared by whoever reads an upstream. A BOM,
 * CRLF, lone CR, comments, `data:` over several lines and a character cut in two change nothing. Imports the domain only.
 */
import { parsedJson } from "../domain/json-text.ts";
import { createParser } from "eventsource-parser";
import { Failure } from "../domain/failure.ts";
import type { UpstreamFrame } from "./called.ts";

/** An image in base64 is the largest thing an upstream sends in one frame. */
const mostBytesOfAFrame = 32 * 1024 * 1024;

export interface FrameReader {
  /** Throws Failure `upstream_failed` for a frame above the limit; it must not be used after that. */
  push(bytes: Uint8Array | string): void;
  /** The body has ended: what stands behind the last blank line is handed on if it is whole, else dropped. */
  end(): void;
}

export interface FrameLimits {
  /** Counted in UTF-16 units, which are never more than the bytes. Default 32 MiB. */
  readonly mostBytes?: number;
}

export function createFrameReader(onFrame: (frame: UpstreamFrame) => void, limits: FrameLimits = {}): FrameReader {
  const mostBytes = limits.mostBytes ?? mostBytesOfAFrame;
  const decoder = new TextDecoder();
  const outcome: { tooLarge: boolean } = { tooLarge: false };
  let ending = false;
  const parser = createParser({
    maxBufferSize: mostBytes,
    onEvent: ({ event, data }) => {
      if (data.length > mostBytes) outcome.tooLarge = true;
      if (outcome.tooLarge || (ending && !isWhole(data))) return;
      onFrame({ event: event ?? null, data });
    },
    onError: (error) => {
      // Other errors are lines that are no fields: the standard says to skip them.
      if (error.type === "max-buffer-size-exceeded") outcome.tooLarge = true;
    },
  });

  function feed(text: string): void {
    if (outcome.tooLarge) throw tooLarge(mostBytes);
    parser.feed(text);
    if (outcome.tooLarge) throw tooLarge(mostBytes);
  }

  return {
    push: (bytes) => feed(typeof bytes === "string" ? bytes : decoder.decode(bytes, { stream: true })),
    end() {
      if (outcome.tooLarge || ending) return;
      const rest = decoder.decode();
      ending = true;
      feed(`${rest}\n\n`);
    },
  };
}

/** Some upstreams forget the last blank line; a frame that was cut is no JSON any more. */
function isWhole(data: string): boolean {
  if (data === "[DONE]") return true;
  const value = parsedJson(data);
  return typeof value === "object" && value !== null;
}

function tooLarge(mostBytes: number): Failure {
  return new Failure("upstream_failed", `The upstream sent a single event of more than ${mostBytes} bytes.`);
}

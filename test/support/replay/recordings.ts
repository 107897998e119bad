/** A folder of recorded provider streams: `cases.json` beside files with one JSON chunk a line. Framed as their wire frames them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { CalledDialectId } from "../../../server/dialects/index.ts";

const cases = z.record(
  z.string(),
  z.object({
    wire: z.enum(["chat", "anthropic", "responses", "google"]),
    file: z.string().regex(/^[\w.-]+$/),
    /** Lines from, and up to without, where a file holds several answers. */
    range: z.tuple([z.int(), z.int()]).optional(),
  }),
);

export type Wire = "chat" | "anthropic" | "responses" | "google";

export interface Recording {
  readonly name: string;
  readonly wire: Wire;
  readonly dialect: CalledDialectId;
  /** JSON texts, in order. */
  readonly chunks: readonly string[];
}

const dialectOf: Readonly<Record<Wire, CalledDialectId>> = Object.freeze({
  chat: "openai-chat",
  anthropic: "anthropic-messages",
  responses: "openai-responses",
  google: "gemini",
});

export function recordingsIn(folder: string): readonly Recording[] {
  const listed = cases.parse(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")));
  return Object.entries(listed).map(([name, { wire, file, range }]) => {
    const lines = readFileSync(join(folder, file), "utf8").split("\n");
    const chunks = lines.filter((line) => line.trim() !== "").slice(...(range ?? [0]));
    return { name, wire, dialect: dialectOf[wire], chunks };
  });
}

export interface Framing {
  readonly crlf?: boolean;
  /** A comment before every frame. */
  readonly comments?: boolean;
  /** Without the terminator. */
  readonly nodone?: boolean;
}

export function framed({ wire, chunks }: Recording, { crlf, comments, nodone }: Framing): Buffer {
  const newline = crlf === true ? "\r\n" : "\n";
  let text = "";
  for (const chunk of chunks) {
    if (comments === true) text += `: keep-alive${newline}${newline}`;
    if (wire === "anthropic" || wire === "responses") {
      const { type } = JSON.parse(chunk) as { type: string };
      text += `event: ${type}${newline}`;
    }
    text += `data: ${chunk}${newline}${newline}`;
  }
  if (wire === "chat" && nodone !== true) text += `data: [DONE]${newline}${newline}`;
  return Buffer.from(text);
}

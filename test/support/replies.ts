/** Answers of models as text, with what a client should see of them, and the reader run over a text in pieces. */
import { readFileSync } from "node:fs";
import type { ChatEvent, ChatRequest, FinishReason, ToolDefinition } from "../../server/domain/chat.ts";
import type { ReplyFormat } from "../../server/backends/engine/reply/format-of.ts";
import { replyFamilies } from "../../server/backends/engine/reply/index.ts";
import { ReplyReader } from "../../server/backends/engine/reply/reply-reader.ts";
import { chatRequest } from "./chat-request.ts";

export interface ReplyFixture {
  readonly name: string;
  readonly reply: string;
  readonly promptEnd?: string;
  readonly finish?: FinishReason;
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly name: string; readonly arguments: string }[];
  /** The last call has no end. */
  readonly unfinished?: boolean;
}

export const replyFormats = Object.keys(replyFamilies) as ReplyFormat[];

export function repliesOf(format: ReplyFormat): readonly ReplyFixture[] {
  const path = new URL(`../fixtures/replies/${format}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as readonly ReplyFixture[];
}

function tool(name: string, properties: object): ToolDefinition {
  return { name, description: null, parameters: { type: "object", properties } };
}

const text = { type: "string" };
export const replyTools: readonly ToolDefinition[] = [
  tool("get_weather", { city: text, days: { type: "integer" } }),
  tool("read_file", { path: text }),
  tool("write_file", { path: text, content: text, mode: { type: "object" } }),
  tool("list_files", {}),
  tool("set", {
    text,
    on: { type: "boolean" },
    limit: { anyOf: [{ type: "number" }, { type: "null" }] },
    either: { type: ["integer", "string"] },
    list: { type: "array" },
  }),
];

export interface Seen {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
  readonly ids: readonly string[];
  readonly finish: FinishReason;
  readonly reasoningTokens: number;
  /** What came with each piece, and with the end. */
  readonly perPiece: readonly (readonly ChatEvent[])[];
}

export interface ReadWishes {
  readonly request?: Partial<ChatRequest>;
  readonly promptEnd?: string;
  readonly finish?: FinishReason;
}

let made = 0;

/** Each piece counts as one token. */
export function read(format: ReplyFormat, pieces: readonly string[], wishes: ReadWishes = {}): Seen {
  const reader = new ReplyReader({
    request: chatRequest("", { tools: replyTools, ...wishes.request }),
    format,
    promptEnd: wishes.promptEnd ?? "",
    newToolCallId: () => {
      made += 1;
      return `call_${made}`;
    },
  });
  const perPiece = [...pieces.map((piece, at) => reader.push(piece, at + 1)), reader.end()];
  let said = "";
  let thought = "";
  const calls: { name: string; arguments: string }[] = [];
  const ids: string[] = [];
  for (const event of perPiece.flat()) {
    if (event.type === "text") said += event.text;
    else if (event.type === "reasoning") thought += event.text;
    else if (event.type === "tool-call") {
      if (event.index !== calls.length) throw new Error(`call ${event.index} came out of order`);
      calls.push({ name: event.name, arguments: "" });
      ids.push(event.id);
    } else if (event.type === "tool-arguments") {
      const call = calls[event.index];
      if (call === undefined || event.index !== calls.length - 1) throw new Error("arguments of no call");
      call.arguments += event.text;
    }
  }
  const finish = reader.finishReason(wishes.finish ?? "stop");
  return { text: said, reasoning: thought, calls, ids, finish, reasoningTokens: reader.reasoningTokens, perPiece };
}

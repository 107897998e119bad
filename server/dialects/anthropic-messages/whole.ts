/** A whole message as one JSON text, for a client that did not ask for a stream. Pure; imports the domain only. */
import { parsedJson } from "../../domain/json-text.ts";
import type { ChatEvent } from "../../domain/chat.ts";
import { dialectId, wireSignature } from "./signature.ts";
import { wireStop } from "./stop-reasons.ts";
import { wholeUsage } from "./usage.ts";

type Block =
  | { readonly type: "text"; text: string }
  | { readonly type: "thinking"; thinking: string; signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; json: string };

export function wholeAnswer(events: readonly ChatEvent[], id: string, model: string): string {
  const blocks: Block[] = [];
  const calls = new Map<number, Extract<Block, { type: "tool_use" }>>();
  let refused = false;
  let end: object = { stop_reason: null, stop_sequence: null };

  const say = (text: string) => {
    const last = blocks.at(-1);
    if (last?.type === "text") last.text += text;
    else if (text !== "") blocks.push({ type: "text", text });
  };
  /** The block of thinking that is not signed yet. */
  const thinking = () => {
    const last = blocks.at(-1);
    if (last?.type === "thinking" && last.signature === "") return last;
    const fresh = { type: "thinking" as const, thinking: "", signature: "" };
    blocks.push(fresh);
    return fresh;
  };

  for (const event of events) {
    switch (event.type) {
      case "text":
        say(event.text);
        break;
      case "refusal":
        refused = true;
        say(event.text);
        break;
      case "reasoning":
        thinking().thinking += event.text;
        break;
      case "reasoning-block": {
        const { block } = event;
        if (block.redacted === true && block.dialect === dialectId) {
          blocks.push({ type: "redacted_thinking", data: block.signature ?? "" });
          break;
        }
        const open = thinking();
        if (open.thinking === "") open.thinking = block.text;
        open.signature = wireSignature(block);
        break;
      }
      case "tool-call": {
        const call = { type: "tool_use" as const, id: event.id, name: event.name, json: "" };
        calls.set(event.index, call);
        blocks.push(call);
        break;
      }
      case "tool-arguments": {
        const call = calls.get(event.index);
        if (call !== undefined) call.json += event.text;
        break;
      }
      case "finished":
        // A call whose arguments the length cut off is none: run with half of them it would do something else.
        if (event.finishReason === "length") dropCutCall(blocks);
        end = {
          ...wireStop(event.finishReason, event.stopSequence, refused),
          usage: wholeUsage(event.usage),
        };
        break;
      default:
        break;
    }
  }
  return JSON.stringify({
    ...{ id, type: "message", role: "assistant", model, content: blocks.map(wireBlock) },
    ...end,
  });
}

function dropCutCall(blocks: Block[]): void {
  const last = blocks.at(-1);
  if (last?.type === "tool_use" && objectIn(last.json) === null) blocks.pop();
}

function objectIn(json: string): object | null {
  const input = parsedJson(json);
  return typeof input === "object" ? input : null;
}

function wireBlock(block: Block): object {
  switch (block.type) {
    case "tool_use":
      return { type: block.type, id: block.id, name: block.name, input: inputOf(block.json) };
    case "thinking":
      return block.signature === "" ? { ...block, signature: wireSignature(null) } : block;
    case "text":
    case "redacted_thinking":
      return block;
  }
}

/** No arguments are an empty object. */
function inputOf(json: string): object {
  return objectIn(json) ?? {};
}

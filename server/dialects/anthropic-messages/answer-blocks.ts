/** The content blocks of one answer as they come in, and what they say. Pure state; imports the domain only. */
import type { ChatEvent, ChatRequest } from "../../domain/chat.ts";
import { callIdMaker } from "../call-ids.ts";
import { freeTextOf, isFreeText, type NamedTool, namedTools, toolOf } from "../tool-names.ts";
import { at, isWireObject } from "../usage/figures.ts";
import { answersByTool, answerTool } from "./call-tools.ts";
import { dialectId } from "./signature.ts";

/** An event before it is known which frame it goes with. */
export type Fact = Exclude<ChatEvent, { type: "frame" }>;

type Block =
  | { readonly kind: "thinking"; text: string; signature: string }
  | {
      readonly kind: "tool";
      readonly index: number;
      /** Free text, which comes in pieces of JSON: said when it is whole. */
      readonly custom: boolean;
      json: string;
      /** Some send the arguments with the start and nothing after. */
      readonly input: unknown;
    }
  /** The answer itself, as the arguments of a tool. */
  | { readonly kind: "answer"; json: string; readonly input: unknown }
  | { readonly kind: "other" };

export class AnswerBlocks {
  readonly answersByTool: boolean;
  readonly #tools: readonly NamedTool[];
  readonly #newId: () => string;
  readonly #open = new Map<unknown, Block>();
  #last: unknown;
  #calls = 0;

  constructor(request: ChatRequest) {
    this.answersByTool = answersByTool(request);
    this.#tools = namedTools(request.tools);
    this.#newId = callIdMaker(request);
  }

  get hasCalls(): boolean {
    return this.#calls > 0;
  }

  start(key: unknown, block: unknown): readonly Fact[] {
    // The same index once more: what was there is over.
    const before = this.#open.has(key) ? this.stop(key) : [];
    this.#last = key;
    return [...before, ...this.#started(key, block)];
  }

  delta(key: unknown, delta: unknown): readonly Fact[] {
    const block = this.#open.get(key) ?? this.#open.get(this.#last);
    switch (at(delta, "type")) {
      case "text_delta":
        return textFact(textIn(delta, "text"));
      case "thinking_delta": {
        const text = textIn(delta, "thinking");
        if (block?.kind === "thinking") block.text += text;
        return text === "" ? [] : [{ type: "reasoning", text }];
      }
      case "signature_delta":
        if (block?.kind === "thinking") block.signature += textIn(delta, "signature");
        return [];
      case "input_json_delta":
        return this.#arguments(block, textIn(delta, "partial_json"));
      default:
        return [];
    }
  }

  stop(key: unknown): readonly Fact[] {
    const block = this.#open.get(key);
    this.#open.delete(key);
    return block === undefined ? [] : this.#stopped(block);
  }

  /** What was left open. */
  stopAll(): readonly Fact[] {
    return [...this.#open.keys()].flatMap((key) => this.stop(key));
  }

  #started(key: unknown, block: unknown): readonly Fact[] {
    switch (at(block, "type")) {
      case "text":
        this.#open.set(key, { kind: "other" });
        return textFact(textIn(block, "text"));
      case "thinking": {
        const text = textIn(block, "thinking");
        this.#open.set(key, { kind: "thinking", text, signature: textIn(block, "signature") });
        return text === "" ? [] : [{ type: "reasoning", text }];
      }
      case "redacted_thinking": {
        this.#open.set(key, { kind: "other" });
        const signature = textIn(block, "data");
        return [{ type: "reasoning-block", block: { text: "", signature, dialect: dialectId, redacted: true } }];
      }
      case "tool_use":
        return this.#called(key, block);
      default:
        // What a provider's own tools do is for clients of its own shape.
        this.#open.set(key, { kind: "other" });
        return [];
    }
  }

  #called(key: unknown, block: unknown): readonly Fact[] {
    const wire = textIn(block, "name");
    const input = at(block, "input");
    if (this.answersByTool && wire === answerTool) {
      this.#open.set(key, { kind: "answer", json: "", input });
      return [];
    }
    const index = this.#calls;
    this.#calls += 1;
    const custom = isFreeText(wire, this.#tools);
    this.#open.set(key, { kind: "tool", index, custom, json: "", input });
    return [{ type: "tool-call", index, id: textIn(block, "id") || this.#newId(), ...toolOf(wire, this.#tools) }];
  }

  #arguments(block: Block | undefined, text: string): readonly Fact[] {
    if (text === "" || (block?.kind !== "tool" && block?.kind !== "answer")) return [];
    block.json += text;
    if (block.kind === "answer") return [{ type: "text", text }];
    return block.custom ? [] : [{ type: "tool-arguments", index: block.index, text }];
  }

  #stopped(block: Block): readonly Fact[] {
    switch (block.kind) {
      case "thinking": {
        const { text, signature } = block;
        return [
          {
            type: "reasoning-block",
            block: { text, signature: signature === "" ? null : signature, dialect: dialectId },
          },
        ];
      }
      case "answer":
        return block.json === "" ? textFact(inputText(block.input)) : [];
      case "tool": {
        const { index, custom, json, input } = block;
        if (custom) return [{ type: "tool-arguments", index, text: freeTextOf(json === "" ? inputText(input) : json) }];
        return json === "" ? [{ type: "tool-arguments", index, text: inputText(input) }] : [];
      }
      case "other":
        return [];
    }
  }
}

function textIn(value: unknown, field: string): string {
  const text = at(value, field);
  return typeof text === "string" ? text : "";
}

function textFact(text: string): readonly Fact[] {
  return text === "" ? [] : [{ type: "text", text }];
}

/** No arguments are `{}`, never an empty text. */
function inputText(input: unknown): string {
  return isWireObject(input) ? JSON.stringify(input) : "{}";
}

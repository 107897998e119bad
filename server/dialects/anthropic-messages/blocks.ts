/**
 * The content blocks of one Messages stream: opened, filled and closed one after the other, with rising indices. Pure state.
 *
 * Only one block is open at a time, because clients close whichever is last. Where an upstream mixes the arguments of several
 * calls, those of the others wait until the open one's JSON is complete.
 */
import { isJson } from "../../domain/json-text.ts";
import type { ChatEvent, ReasoningBlock } from "../../domain/chat.ts";
import { type DeltaEnvelope, deltaEnvelope, frame } from "./frame.ts";
import { dialectId, wireSignature } from "./signature.ts";

type Call = Extract<ChatEvent, { type: "tool-call" }>;
type CallArguments = Extract<ChatEvent, { type: "tool-arguments" }>;

interface OpenBlock {
  readonly kind: "text" | "thinking" | "tool";
  readonly index: number;
  readonly envelope: DeltaEnvelope;
  /** Of a call: which one, and its arguments so far. */
  readonly call: number | null;
  json: string;
}

export class Blocks {
  #next = 0;
  #open: OpenBlock | null = null;
  #waiting: (Call | CallArguments)[] = [];
  /** Thinking was sent that no `reasoning-block` has ended yet. */
  #unsigned = false;

  text(text: string): string {
    return this.#into("text") + this.#delta(text);
  }

  thinking(text: string): string {
    this.#unsigned = true;
    return this.#into("thinking") + this.#delta(text);
  }

  /** Ends a block of thinking with what its model signed it with. */
  signed(block: ReasoningBlock): string {
    const heard = this.#unsigned;
    this.#unsigned = false;
    if (block.redacted === true && block.dialect === dialectId) {
      return this.close() + this.#whole({ type: "redacted_thinking", data: block.signature ?? "" });
    }
    const opened = this.#into("thinking");
    return opened + (heard ? "" : this.#delta(block.text)) + this.#close(wireSignature(block));
  }

  call(event: Call): string {
    if (this.#isBusy(event.index)) {
      this.#waiting.push(event);
      return "";
    }
    const closed = this.#close();
    const { id, name } = event;
    return closed + this.#start("tool", { type: "tool_use", id, name, input: {} }, event.index);
  }

  arguments(event: CallArguments): string {
    const open = this.#open;
    if (open === null || open.call !== event.index) {
      this.#waiting.push(event);
      return "";
    }
    if (event.text === "") return "";
    open.json += event.text;
    const frames = this.#delta(event.text);
    return this.#waiting.length > 0 && isJson(open.json) ? frames + this.#nextCalls() : frames;
  }

  /** Closes what is open and says what still waited. */
  close(): string {
    let frames = this.#close();
    while (this.#waiting.length > 0) frames += this.#nextCalls(true);
    return frames;
  }

  /** True while another call's JSON is not complete. */
  #isBusy(call: number): boolean {
    const open = this.#open;
    return open !== null && open.call !== null && open.call !== call && !isJson(open.json);
  }

  /** Lets the calls go on that waited; `whole`: nothing more will come, so each is said to its end. */
  #nextCalls(whole = false): string {
    const waiting = this.#waiting;
    this.#waiting = [];
    const first = waiting[0]?.index;
    if (!whole) return waiting.map((event) => this.#again(event)).join("");
    const [mine, others] = [
      waiting.filter(({ index }) => index === first),
      waiting.filter(({ index }) => index !== first),
    ];
    const known = mine.some(({ type }) => type === "tool-call");
    // Arguments of a call that was closed long ago, or was never made, have no place.
    const frames = known ? mine.map((event) => this.#again(event)).join("") + this.#close() : "";
    this.#waiting = others;
    return frames;
  }

  #again(event: Call | CallArguments): string {
    return event.type === "tool-call" ? this.call(event) : this.arguments(event);
  }

  #into(kind: "text" | "thinking"): string {
    if (this.#open?.kind === kind) return "";
    const closed = this.close();
    const block = kind === "text" ? { type: "text", text: "" } : { type: "thinking", thinking: "", signature: "" };
    return closed + this.#start(kind, block, null);
  }

  #start(kind: OpenBlock["kind"], block: object, call: number | null): string {
    const index = this.#next;
    this.#next += 1;
    const [type, field] =
      kind === "text"
        ? ["text_delta", "text"]
        : kind === "thinking"
          ? ["thinking_delta", "thinking"]
          : ["input_json_delta", "partial_json"];
    this.#open = { kind, index, envelope: deltaEnvelope(index, type, field), call, json: "" };
    return startFrame(index, block);
  }

  #whole(block: object): string {
    const index = this.#next;
    this.#next += 1;
    return startFrame(index, block) + frame({ type: "content_block_stop", index });
  }

  #delta(text: string): string {
    const envelope = this.#open?.envelope;
    return envelope === undefined || text === "" ? "" : envelope.before + JSON.stringify(text) + envelope.after;
  }

  #close(signature: string | null = null): string {
    const open = this.#open;
    if (open === null) return "";
    let last = "";
    // Without a signature clients do not hand thinking back.
    if (open.kind === "thinking") last = signatureFrame(open.index, signature ?? wireSignature(null));
    // A call without arguments is a call with none, never an empty string.
    if (open.kind === "tool" && open.json === "") last = this.#delta("{}");
    this.#open = null;
    return last + frame({ type: "content_block_stop", index: open.index });
  }
}

function startFrame(index: number, block: object): string {
  return frame({ type: "content_block_start", index, content_block: block });
}

function signatureFrame(index: number, signature: string): string {
  return frame({ type: "content_block_delta", index, delta: { type: "signature_delta", signature } });
}

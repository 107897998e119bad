/**
 * The output of one answer while it grows: its items and the events that tell of them. Pure. A call is final only when the
 * answer is: Codex runs it the moment its item is done.
 */
import { isJson } from "../../domain/json-text.ts";
import type { ChosenLogprob, ReasoningBlock, ToolDefinition } from "../../domain/chat.ts";
import { freeTextOf } from "../tool-names.ts";
import { wireLogprobs } from "../openai-chat/logprobs.ts";
import { itemId, type WireObject } from "./response-object.ts";
import { encryptedContent } from "./signature.ts";
import { ownName } from "./tools.ts";

/** Numbers and frames one event: `type` and its fields. */
export type Say = (type: string, fields: WireObject) => string;

type Status = "in_progress" | "completed" | "incomplete";

interface MessagePart {
  readonly kind: "output_text" | "refusal";
  text: string;
  readonly logprobs: unknown[];
}

interface MessageItem {
  readonly kind: "message";
  readonly id: string;
  readonly parts: MessagePart[];
  status: Status;
}

interface ReasoningItem {
  readonly kind: "reasoning";
  readonly id: string;
  text: string;
  encrypted: string | null;
  status: Status;
}

interface CallItem {
  readonly kind: "call";
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly custom: boolean;
  /** The free text of a custom tool comes as the arguments of a function: it is read when it is whole. */
  readonly wrapped: boolean;
  text: string;
  status: Status;
}

type Item = MessageItem | ReasoningItem | CallItem;

export class Output {
  readonly #say: Say;
  readonly #requestId: string;
  readonly #tools: readonly ToolDefinition[];
  readonly #items: Item[] = [];
  readonly #calls = new Map<number, number>();
  /** The item that texts are added to; calls are open beside it until the end. */
  #open: number | null = null;

  constructor(say: Say, requestId: string, tools: readonly ToolDefinition[]) {
    this.#say = say;
    this.#requestId = requestId;
    this.#tools = tools;
  }

  /** As the response object has it at this moment. */
  get items(): readonly WireObject[] {
    return this.#items.map(wireItem);
  }

  text(kind: "output_text" | "refusal", text: string, logprobs: readonly ChosenLogprob[] | undefined): string {
    const { said, index, item } = this.#message();
    let frames = said;
    let part = item.parts.at(-1);
    if (part?.kind !== kind) {
      if (part !== undefined) frames += this.#partDone(index, item, item.parts.length - 1);
      part = { kind, text: "", logprobs: [] };
      item.parts.push(part);
      const at = { item_id: item.id, output_index: index, content_index: item.parts.length - 1 };
      frames += this.#say("response.content_part.added", { ...at, part: wirePart(part) });
    }
    part.text += text;
    const found = logprobs === undefined ? [] : wireLogprobs(logprobs).content;
    part.logprobs.push(...found);
    const delta = { item_id: item.id, output_index: index, content_index: item.parts.length - 1, delta: text };
    return kind === "refusal"
      ? frames + this.#say("response.refusal.delta", delta)
      : frames + this.#say("response.output_text.delta", { ...delta, logprobs: found });
  }

  reasoning(text: string): string {
    const { said, index, item } = this.#reasoning();
    let frames = said;
    const at = { item_id: item.id, output_index: index, content_index: 0 };
    if (item.text === "") {
      frames += this.#say("response.content_part.added", { ...at, part: { type: "reasoning_text", text: "" } });
    }
    item.text += text;
    return frames + this.#say("response.reasoning_text.delta", { ...at, delta: text });
  }

  /** Ends the reasoning that runs, or stands for some that has no text of its own. */
  block(block: ReasoningBlock): string {
    const open = this.#open === null ? undefined : this.#items[this.#open];
    let frames = "";
    if (open?.kind !== "reasoning" && block.text !== "") frames += this.reasoning(block.text);
    const { said, item } = this.#reasoning();
    item.encrypted = encryptedContent(block);
    return frames + said + this.#closeOpen("completed");
  }

  call(key: number, id: string, name: string, namespace: string | undefined, custom: boolean | undefined): string {
    const frames = this.#closeOpen("completed");
    const index = this.#items.length;
    const tool = this.#tools.find((one) => one.name === name);
    const isCustom = custom ?? tool?.custom !== undefined;
    const item: CallItem = {
      kind: "call",
      id: itemId(isCustom ? "ctc" : "fc", this.#requestId, index),
      callId: id,
      name: tool === undefined ? name : ownName(tool),
      namespace: namespace ?? tool?.namespace,
      custom: isCustom,
      wrapped: isCustom && custom !== true,
      text: "",
      status: "in_progress",
    };
    this.#items.push(item);
    this.#calls.set(key, index);
    return frames + this.#say("response.output_item.added", { output_index: index, item: wireItem(item) });
  }

  arguments(key: number, text: string): string {
    const index = this.#calls.get(key);
    const item = index === undefined ? undefined : this.#items[index];
    if (index === undefined || item?.kind !== "call" || text === "") return "";
    item.text += text;
    return item.wrapped ? "" : this.#argumentsDelta(index, item, text);
  }

  /** Closes what is open. A call whose arguments were cut stays open: it must not be run. */
  finish(cut: boolean): string {
    let frames = this.#closeOpen(cut ? "incomplete" : "completed");
    for (const index of this.#calls.values()) {
      const item = this.#items[index];
      if (item?.kind === "call") frames += this.#callDone(index, item, cut);
    }
    return frames;
  }

  /** What will not be finished any more is marked so. */
  abandon(): void {
    for (const item of this.#items) if (item.status === "in_progress") item.status = "incomplete";
  }

  #message(): { said: string; index: number; item: MessageItem } {
    const open = this.#open === null ? undefined : this.#items[this.#open];
    if (this.#open !== null && open?.kind === "message") return { said: "", index: this.#open, item: open };
    const closed = this.#closeOpen("completed");
    const index = this.#items.length;
    const id = itemId("msg", this.#requestId, index);
    const item: MessageItem = { kind: "message", id, parts: [], status: "in_progress" };
    return { said: closed + this.#add(item), index, item };
  }

  #reasoning(): { said: string; index: number; item: ReasoningItem } {
    const open = this.#open === null ? undefined : this.#items[this.#open];
    if (this.#open !== null && open?.kind === "reasoning") return { said: "", index: this.#open, item: open };
    const closed = this.#closeOpen("completed");
    const index = this.#items.length;
    const id = itemId("rs", this.#requestId, index);
    const item: ReasoningItem = { kind: "reasoning", id, text: "", encrypted: null, status: "in_progress" };
    return { said: closed + this.#add(item), index, item };
  }

  #add(item: Item): string {
    this.#open = this.#items.length;
    this.#items.push(item);
    return this.#say("response.output_item.added", { output_index: this.#open, item: wireItem(item) });
  }

  #closeOpen(status: Status): string {
    const index = this.#open;
    const item = index === null ? undefined : this.#items[index];
    if (index === null || item === undefined) return "";
    this.#open = null;
    let frames = "";
    if (item.kind === "message" && item.parts.length > 0) {
      frames += this.#partDone(index, item, item.parts.length - 1);
    }
    if (item.kind === "reasoning" && item.text !== "") {
      const at = { item_id: item.id, output_index: index, content_index: 0 };
      frames += this.#say("response.reasoning_text.done", { ...at, text: item.text });
      const part = { type: "reasoning_text", text: item.text };
      frames += this.#say("response.content_part.done", { ...at, part });
    }
    item.status = status;
    return frames + this.#say("response.output_item.done", { output_index: index, item: wireItem(item) });
  }

  #partDone(index: number, item: MessageItem, contentIndex: number): string {
    const part = item.parts[contentIndex];
    if (part === undefined) return "";
    const at = { item_id: item.id, output_index: index, content_index: contentIndex };
    const done =
      part.kind === "refusal"
        ? this.#say("response.refusal.done", { ...at, refusal: part.text })
        : this.#say("response.output_text.done", { ...at, text: part.text, logprobs: part.logprobs });
    return done + this.#say("response.content_part.done", { ...at, part: wirePart(part) });
  }

  #argumentsDelta(index: number, item: CallItem, delta: string): string {
    const type = item.custom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta";
    return this.#say(type, { item_id: item.id, output_index: index, delta });
  }

  #callDone(index: number, item: CallItem, cut: boolean): string {
    if (item.status !== "in_progress") return "";
    if (cut && !isWhole(item)) {
      item.status = "incomplete";
      return "";
    }
    let frames = "";
    if (item.wrapped) {
      item.text = freeTextOf(item.text);
      if (item.text !== "") frames += this.#argumentsDelta(index, item, item.text);
    } else if (!item.custom && item.text === "") {
      // Clients parse it: a call without arguments is an empty object.
      item.text = "{}";
      frames += this.#argumentsDelta(index, item, item.text);
    }
    const at = { item_id: item.id, output_index: index };
    frames += item.custom
      ? this.#say("response.custom_tool_call_input.done", { ...at, input: item.text })
      : this.#say("response.function_call_arguments.done", { ...at, name: item.name, arguments: item.text });
    item.status = "completed";
    return frames + this.#say("response.output_item.done", { output_index: index, item: wireItem(item) });
  }
}

/** Free text has no form that would tell. */
function isWhole(item: CallItem): boolean {
  return (!item.custom || item.wrapped) && isJson(item.text);
}

function wirePart(part: MessagePart): object {
  if (part.kind === "refusal") return { type: "refusal", refusal: part.text };
  return { type: "output_text", text: part.text, annotations: [], logprobs: part.logprobs.slice() };
}

function wireItem(item: Item): WireObject {
  const { id, status } = item;
  if (item.kind === "message") {
    return { id, type: "message", status, role: "assistant", content: item.parts.map(wirePart) };
  }
  if (item.kind === "reasoning") {
    const content = item.text === "" ? [] : [{ type: "reasoning_text", text: item.text }];
    const encrypted = item.encrypted === null ? {} : { encrypted_content: item.encrypted };
    return { id, type: "reasoning", status, summary: [], content, ...encrypted };
  }
  const named = {
    call_id: item.callId,
    name: item.name,
    ...(item.namespace === undefined ? {} : { namespace: item.namespace }),
  };
  // A wrapped text is not the tool's own before it is whole.
  const text = item.wrapped && item.status !== "completed" ? "" : item.text;
  if (item.custom) return { id, type: "custom_tool_call", status, ...named, input: text };
  return { id, type: "function_call", status, ...named, arguments: text };
}

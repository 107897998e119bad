/** What a reader finds → events: text, reasoning and calls with their index and id. Pure state. */
import type { ChatEvent, ToolDefinition } from "../../../domain/chat.ts";
import type { ReplyInput } from "./input.ts";

/** Where the calls of a shape go while it is read. */
export interface CallSink {
  /** False: calls are wanted whole, because they may still be withdrawn. */
  readonly streams: boolean;
  /** The call cannot be withdrawn any more: what has been read of it is settled. */
  begin(input: ReplyInput, name: string): void;
  /** A further piece of compact JSON. */
  arguments(text: string): void;
  /** The arguments are complete. */
  end(): void;
}

export class ReplyOutput implements CallSink {
  readonly streams = true;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** Characters of either kind so far: how the tokens are shared out between them. */
  reasoningLength = 0;
  otherLength = 0;
  /** Calls begun. */
  calls = 0;
  /** Calls whose arguments are complete. */
  completeCalls = 0;
  /** The text ended within something that was becoming a call. */
  endedInCall = false;
  /** The reader is inside reasoning. */
  thinking = false;
  readonly #newId: () => string;
  #events: ChatEvent[] = [];

  constructor(tools: readonly ToolDefinition[], newId: () => string) {
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#newId = newId;
  }

  text(text: string): void {
    if (text === "") return;
    this.otherLength += text.length;
    const last = this.#events.at(-1);
    if (last?.type === "text") this.#events[this.#events.length - 1] = { type: "text", text: last.text + text };
    else this.#events.push({ type: "text", text });
  }

  reasoning(text: string): void {
    if (text === "") return;
    this.reasoningLength += text.length;
    const last = this.#events.at(-1);
    if (last?.type === "reasoning") {
      this.#events[this.#events.length - 1] = { type: "reasoning", text: last.text + text };
    } else this.#events.push({ type: "reasoning", text });
  }

  begin(input: ReplyInput, name: string): void {
    input.drop();
    this.#begin(name);
  }

  arguments(text: string): void {
    if (text === "") return;
    this.otherLength += text.length;
    this.#events.push({ type: "tool-arguments", index: this.calls - 1, text });
  }

  end(): void {
    this.completeCalls += 1;
  }

  /** A call of which everything is known. */
  whole(name: string, argumentsText: string): void {
    this.#begin(name);
    this.arguments(argumentsText);
    this.end();
  }

  taken(): ChatEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #begin(name: string): void {
    this.otherLength += name.length;
    this.#events.push({ type: "tool-call", index: this.calls, id: this.#newId(), name });
    this.calls += 1;
  }
}

/** Calls of a shape that is only certain when the answer has ended. */
export class HeldCalls implements CallSink {
  readonly streams = false;
  readonly calls: { readonly name: string; arguments: string }[] = [];

  begin(_input: ReplyInput, name: string): void {
    this.calls.push({ name, arguments: "" });
  }

  arguments(text: string): void {
    const call = this.calls.at(-1);
    if (call !== undefined) call.arguments += text;
  }

  end(): void {}
}

/** The text of a grammar-forced tool call → events, as it arrives. Pure state. Runs in the server process. */
import type { ChatEvent } from "../../domain/chat.ts";
import { toolCallShape } from "./grammar/tool-call.ts";

export class ForcedToolCall {
  readonly #newId: () => string;
  #text = "";
  /** Where the arguments begin in `#text`; -1 until the name is complete. */
  #argumentsAt = -1;
  #sent = 0;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** The closing brace of the envelope is the last character; one character is therefore always held back. */
  push(text: string): ChatEvent[] {
    this.#text += text;
    const events: ChatEvent[] = [];
    if (this.#argumentsAt === -1) {
      const at = this.#text.indexOf(toolCallShape.beforeArguments);
      if (at === -1) return events;
      const name: unknown = JSON.parse(this.#text.slice(toolCallShape.beforeName.length, at));
      this.#argumentsAt = at + toolCallShape.beforeArguments.length;
      this.#sent = this.#argumentsAt;
      events.push({ type: "tool-call", index: 0, id: this.#newId(), name: String(name) });
    }
    const ready = this.#text.length - toolCallShape.end.length;
    if (ready > this.#sent) {
      events.push({ type: "tool-arguments", index: 0, text: this.#text.slice(this.#sent, ready) });
      this.#sent = ready;
    }
    return events;
  }

  /** True when a whole call has been seen: it ends with the envelope's brace. */
  get complete(): boolean {
    return this.#argumentsAt !== -1 && this.#text.endsWith(toolCallShape.end);
  }
}

/** Tool calls put together from their pieces: Ollama sends each whole, its arguments as an object. Pure. */
import { parsedJson } from "../../domain/json-text.ts";
import { isWireObject } from "../usage/figures.ts";
import type { ChatEvent } from "../../domain/chat.ts";
import { lineText, oneLine } from "./line.ts";

interface Call {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  arguments: string;
}

export interface WrittenCall {
  /** JSON text of the call; null: its arguments are no object, so this shape cannot say it. */
  readonly json: string | null;
  /** What the model wrote, for one that cannot be said. */
  readonly text: string;
}

export class CallCollector {
  #open: Call[] = [];

  /** Takes the event where it is a piece of a call. */
  take(event: ChatEvent): boolean {
    if (event.type === "tool-call") {
      this.#open.push({ index: event.index, id: event.id, name: event.name, arguments: "" });
      return true;
    }
    if (event.type !== "tool-arguments") return false;
    const call = this.#open.findLast(({ index }) => index === event.index);
    if (call !== undefined) call.arguments += event.text;
    return true;
  }

  /** The calls since the last time, in their order. To be asked when no piece of them can come any more. */
  done(): readonly WrittenCall[] {
    const calls = this.#open;
    this.#open = [];
    return calls.map(written);
  }
}

function written({ index, id, name, arguments: text }: Call): WrittenCall {
  const whole = text.trim() === "" ? "{}" : text;
  if (!isWireObject(parsedJson(whole))) return { json: null, text };
  // The model's own text: parsed and written again, long numbers would lose digits and keys their order.
  const json = `{"id":${lineText(id)},"function":{"index":${index},"name":${lineText(name)},"arguments":${oneLine(whole.trim())}}}`;
  return { json, text };
}

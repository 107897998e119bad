/**
 * Pieces of tool calls → events with one index per call, however an upstream numbers and repeats them. Pure; holds the state of
 * one choice of one answer; imports the domain only.
 *
 * Calls are joined by the upstream's `index`. Where that is missing or the same for all, an id that is new begins a call, and so
 * does a name after arguments that are whole.
 */
import { isJson } from "../../domain/json-text.ts";
import type { ChatEvent } from "../../domain/chat.ts";
import { type NamedTool, freeTextOf, isFreeText, toolOf } from "../tool-names.ts";
import { at } from "../usage/figures.ts";

interface Call {
  id: string;
  name: string;
  arguments: string;
  signature: string | null;
  /** Ours, from 0; null: nobody has been told of it yet. */
  index: number | null;
}

type ToolEvent = Extract<ChatEvent, { type: "tool-call" | "tool-arguments" }>;

/** Bounds what a hostile stream can make us keep. */
const mostCalls = 1024;

export class ToolJoiner {
  readonly #tools: readonly NamedTool[];
  readonly #nextId: () => string;
  readonly #choice: { readonly choice?: number };
  readonly #calls: Call[] = [];
  readonly #byKey = new Map<string, Call>();
  #told = 0;

  /** `choice` only where there are several answers. */
  constructor(tools: readonly NamedTool[], nextId: () => string, choice: { readonly choice?: number }) {
    this.#tools = tools;
    this.#nextId = nextId;
    this.#choice = choice;
  }

  get hasCalls(): boolean {
    return this.#calls.length > 0;
  }

  /** `pieces`: what stands under `tool_calls` of a delta or a message. */
  add(pieces: unknown): readonly ToolEvent[] {
    if (!Array.isArray(pieces)) return [];
    const events: ToolEvent[] = [];
    for (const piece of pieces) events.push(...this.#piece(piece));
    return events;
  }

  /** At the end of the choice: what was held back, and `{}` for calls without arguments. Null: a call has no name. */
  end(): readonly ToolEvent[] | null {
    const events: ToolEvent[] = [];
    for (const call of this.#calls) {
      if (call.name === "") return null;
      events.push(...this.#tell(call));
      const { index } = call;
      if (index === null) continue;
      if (isFreeText(call.name, this.#tools)) {
        events.push({ type: "tool-arguments", index, text: freeTextOf(call.arguments), ...this.#choice });
      } else if (call.arguments.trim() === "") {
        // A client parses the arguments, and nothing is no JSON.
        call.arguments = "{}";
        events.push({ type: "tool-arguments", index, text: "{}", ...this.#choice });
      }
    }
    return events;
  }

  #piece(piece: unknown): readonly ToolEvent[] {
    const id = textAt(piece, "id");
    const name = textAt(piece, "function", "name") || textAt(piece, "custom", "name");
    const text = argumentsIn(piece);
    const call = this.#callOf(at(piece, "index"), id, name, text);
    if (call === null) return [];
    if (call.id === "" && call.index === null) call.id = id;
    if (call.name === "") call.name = name;
    const signature = textAt(piece, "extra_content", "google", "thought_signature");
    if (signature !== "") call.signature = signature;
    if (call.index === null) {
      call.arguments += text;
      // An id may still come, but not after arguments have.
      return call.name !== "" && (call.id !== "" || call.arguments !== "") ? this.#tell(call) : [];
    }
    call.arguments += text;
    if (text === "" || isFreeText(call.name, this.#tools)) return [];
    return [{ type: "tool-arguments", index: call.index, text, ...this.#choice }];
  }

  /** The call a piece belongs to; a new one where it is none of the known. */
  #callOf(index: unknown, id: string, name: string, text: string): Call | null {
    const key = keyOf(index);
    const known = key === null ? this.#unnumbered(id, name) : this.#byKey.get(key);
    if (known !== undefined && !beginsAnother(known, id, name, text)) return known;
    if (this.#calls.length >= mostCalls) return null;
    const call: Call = { id: "", name: "", arguments: "", signature: null, index: null };
    this.#calls.push(call);
    if (key !== null) this.#byKey.set(key, call);
    return call;
  }

  #unnumbered(id: string, name: string): Call | undefined {
    if (id !== "") return this.#calls.findLast((call) => call.id === id);
    return name === "" ? this.#calls.at(-1) : undefined;
  }

  /** The call's own event, and the arguments that came before it could be told. */
  #tell(call: Call): readonly ToolEvent[] {
    if (call.index !== null) return [];
    call.index = this.#told;
    this.#told += 1;
    if (call.id === "") call.id = this.#nextId();
    const event: ToolEvent = {
      type: "tool-call",
      index: call.index,
      id: call.id,
      ...toolOf(call.name, this.#tools),
      ...(call.signature === null ? {} : { signature: call.signature }),
      ...this.#choice,
    };
    if (call.arguments === "" || isFreeText(call.name, this.#tools)) return [event];
    return [event, { type: "tool-arguments", index: call.index, text: call.arguments, ...this.#choice }];
  }
}

/** Under the same index another call, not a further piece of this one. */
function beginsAnother(call: Call, id: string, name: string, text: string): boolean {
  if (id !== "" && call.id !== "" && id !== call.id) return name !== "";
  return id === "" && name !== "" && call.name !== "" && text !== "" && isWholeObject(call.arguments);
}

/** Numbers, numbers as text and stranger things each name one call; null: nothing does. */
function keyOf(index: unknown): string | null {
  return typeof index === "number" || typeof index === "string" ? String(index) : null;
}

/** JSON text; some upstreams send the object itself. */
function argumentsIn(piece: unknown): string {
  const written = at(piece, "function", "arguments") ?? at(piece, "custom", "input");
  if (written === undefined || written === null) return "";
  return typeof written === "string" ? written : JSON.stringify(written);
}

function isWholeObject(json: string): boolean {
  return json.endsWith("}") && isJson(json);
}

function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

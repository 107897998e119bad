/**
 * Frames of an upstream of this wire shape, on their way to the client. Pure. They go as they came, but for a closed list of
 * edits: `sequence_number` (what comes next in the client's stream: signs of life of our own are counted too), and in response
 * objects `id` (ours, because it is looked up here and no upstream keeps it), `model`, `store` and `previous_response_id`.
 *
 * Frames that are no content wait for the first that is: until then the attempt may fail and another one take its place.
 */
import type { WireFrame } from "../../domain/chat.ts";
import type { WireObject } from "./response-object.ts";

export interface PassedFrame {
  readonly type: string;
  readonly fields: Record<string, unknown>;
  readonly raw: string;
}

/** Null: no JSON object with a type, so nothing that a client of this wire shape would understand. */
export function readFrame(frame: WireFrame): PassedFrame | null {
  try {
    const fields: unknown = JSON.parse(frame.data);
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return null;
    const type = "type" in fields && typeof fields.type === "string" ? fields.type : frame.event;
    return type === null ? null : { type, fields: { ...fields }, raw: frame.data };
  } catch {
    return null;
  }
}

const openings: ReadonlySet<string> = new Set(["response.created", "response.queued", "response.in_progress"]);
const terminals: ReadonlySet<string> = new Set(["response.completed", "response.incomplete", "response.failed"]);

export function isOpening(frame: PassedFrame): boolean {
  return openings.has(frame.type);
}

export function isTerminal(frame: PassedFrame): boolean {
  return terminals.has(frame.type);
}

export function responseIn(frame: PassedFrame): WireObject | null {
  const { response } = frame.fields;
  return typeof response === "object" && response !== null && !Array.isArray(response) ? { ...response } : null;
}

/** The frame as the client gets it. `edits` go into its response object. */
export function edited(frame: PassedFrame, sequenceNumber: number, edits: WireObject): string {
  const response = responseIn(frame);
  const asItCame =
    response === null && frame.fields.sequence_number === sequenceNumber && frame.fields.type === frame.type;
  if (asItCame && !/[\r\n]/.test(frame.raw)) return framed(frame.type, frame.raw);
  const fields = {
    ...frame.fields,
    type: frame.type,
    sequence_number: sequenceNumber,
    ...(response === null ? {} : { response: { ...response, ...edits } }),
  };
  return framed(frame.type, JSON.stringify(fields));
}

export function framed(type: string, data: string): string {
  return `event: ${type}\ndata: ${data}\n\n`;
}

/** The items of a stream that passes, as far as they have come: a sign of life in its midst must show them. */
export class PassedItems {
  readonly #items = new Map<unknown, Record<string, unknown>>();

  get items(): readonly WireObject[] {
    return [...this.#items.values()];
  }

  see({ type, fields }: PassedFrame): void {
    const { output_index: index, item } = fields;
    if (type === "response.output_item.added" || type === "response.output_item.done") {
      if (typeof item === "object" && item !== null) this.#items.set(index, { ...item });
      return;
    }
    const known = this.#items.get(index);
    if (known === undefined) return;
    if (type === "response.content_part.added" || type === "response.content_part.done") {
      known.content = replaced(known.content, fields.content_index, fields.part);
    } else if (type === "response.reasoning_summary_part.added" || type === "response.reasoning_summary_part.done") {
      known.summary = replaced(known.summary, fields.summary_index, fields.part);
    } else if (typeof fields.delta === "string") {
      this.#grow(known, type, fields, fields.delta);
    }
  }

  #grow(item: Record<string, unknown>, type: string, fields: WireObject, delta: string): void {
    if (type === "response.function_call_arguments.delta") item.arguments = `${item.arguments ?? ""}${delta}`;
    else if (type === "response.custom_tool_call_input.delta") item.input = `${item.input ?? ""}${delta}`;
    else if (type === "response.reasoning_summary_text.delta") {
      item.summary = grown(item.summary, fields.summary_index, "text", delta);
    } else if (type === "response.refusal.delta") {
      item.content = grown(item.content, fields.content_index, "refusal", delta);
    } else if (type === "response.output_text.delta" || type === "response.reasoning_text.delta") {
      item.content = grown(item.content, fields.content_index, "text", delta);
    }
  }
}

function replaced(parts: unknown, index: unknown, part: unknown): unknown[] {
  const list: unknown[] = Array.isArray(parts) ? [...parts] : [];
  if (typeof index === "number" && index >= 0 && index <= list.length) list[index] = part;
  return list;
}

function grown(parts: unknown, index: unknown, field: string, delta: string): unknown {
  const part: unknown = Array.isArray(parts) && typeof index === "number" ? parts[index] : undefined;
  if (typeof part !== "object" || part === null) return parts;
  const before = Object.entries(part).find(([key]) => key === field)?.[1];
  return replaced(parts, index, { ...part, [field]: `${before ?? ""}${delta}` });
}

/**
 * An answer of the same dialect, handed on as it came: of each frame nothing is changed but the model's name, which becomes the
 * alias the client asked for. The text is edited, not parsed and written anew, so that numbers, spaces and the order of fields
 * stay. Pure; imports the domain only.
 */
import type { ChatEvent, WireFrame } from "../../domain/chat.ts";

const dialect = "openai-chat";

/** The frame an event was read from, where it is one of this dialect. */
export function ownFrame(event: ChatEvent): WireFrame | null {
  const { wire } = event;
  return wire === undefined || wire === "above" || wire.dialect !== dialect ? null : wire;
}

/** JSON text → the same with `alias` as its model. Made once per stream: frames of one stream begin alike. */
export function modelEditor(alias: string): (json: string) => string {
  const written = JSON.stringify(alias);
  let head = "";
  let editedHead = "";
  return (json) => {
    if (head !== "" && json.startsWith(head)) return editedHead + json.slice(head.length);
    const place = modelIn(json);
    if (place === null) return json;
    head = json.slice(0, place.end);
    editedHead = json.slice(0, place.start) + written;
    return editedHead + json.slice(place.end);
  };
}

/** Tells that there is usage and nothing else in a frame. */
export function isUsageOnly(json: string): boolean {
  // Looked at before it is parsed: almost every frame has a choice.
  if (!/"choices"\s*:\s*(?:\[\s*\]|null)/.test(json)) return false;
  try {
    const frame: unknown = JSON.parse(json);
    if (typeof frame !== "object" || frame === null || !("usage" in frame)) return false;
    const { usage } = frame;
    const choices = "choices" in frame ? frame.choices : null;
    const none = choices === null || (Array.isArray(choices) && choices.length === 0);
    return none && typeof usage === "object" && usage !== null;
  } catch {
    return false;
  }
}

/** Tells that the text is an answer in one piece, not a frame of a stream. */
export function isWholeAnswer(json: string): boolean {
  try {
    const body: unknown = JSON.parse(json);
    if (typeof body !== "object" || body === null || !("choices" in body) || !Array.isArray(body.choices)) return false;
    const first: unknown = body.choices[0];
    return typeof first === "object" && first !== null && "message" in first;
  } catch {
    return false;
  }
}

/** Where the text of the value of the outermost `model` stands, if it is text; null: there is none. */
function modelIn(json: string): { readonly start: number; readonly end: number } | null {
  let depth = 0;
  let isKey = false;
  for (let at = 0; at < json.length; at += 1) {
    const sign = json[at];
    if (sign === '"') {
      const end = endOfText(json, at);
      if (depth === 1 && isKey && json.slice(at, end) === '"model"') {
        const value = /^\s*:\s*/.exec(json.slice(end, end + 20));
        const start = end + (value?.[0].length ?? 0);
        return value !== null && json[start] === '"' ? { start, end: endOfText(json, start) } : null;
      }
      isKey = false;
      at = end - 1;
    } else if (sign === "{" || sign === "[") {
      depth += 1;
      isKey = depth === 1;
    } else if (sign === "}" || sign === "]") depth -= 1;
    else if (sign === ",") isKey = depth === 1;
  }
  return null;
}

/** Behind the closing quote of the text that opens at `start`. */
function endOfText(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, json.length);
}

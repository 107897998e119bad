/**
 * How many characters of a recorded frame the model wrote: text, thinking and arguments, by the names the wire shapes have for them.
 * Only for an estimate where no usage came. Pure.
 */
import { isWireObject } from "./figures.ts";

/** Fields whose text the model wrote. */
const written = new Set([
  ...["content", "text", "thinking", "reasoning_content", "reasoning", "refusal"],
  ...["arguments", "partial_json", "response", "delta", "summary"],
]);
/** Fields to look into. */
const holders = new Set([
  ...["choices", "message", "delta", "content", "content_block", "tool_calls", "function", "parts"],
  ...["candidates", "output", "item", "response", "summary"],
]);
/** Events of Responses that say again what their deltas said. */
const repeats = /^response\.(.*\.)?(done|added|created|in_progress)$/;
const mostDepth = 12;

export function charactersIn(frame: unknown, depth = 0): number {
  if (Array.isArray(frame)) return frame.reduce<number>((sum, item) => sum + charactersIn(item, depth + 1), 0);
  if (!isWireObject(frame) || depth > mostDepth) return 0;
  if (depth === 0 && typeof frame.type === "string" && (repeats.test(frame.type) || isEnd(frame.type))) return 0;
  let characters = 0;
  for (const [name, value] of Object.entries(frame)) {
    if (typeof value === "string") characters += written.has(name) ? value.length : 0;
    else if (name === "args" || name === "input")
      characters += depth > 0 && isWireObject(value) ? JSON.stringify(value).length : 0;
    else if (holders.has(name) || name === "functionCall") characters += charactersIn(value, depth + 1);
  }
  return characters;
}

/** The last event of a Responses stream holds the whole answer once more. */
function isEnd(type: string): boolean {
  return type === "response.completed" || type === "response.incomplete" || type === "response.failed";
}

/** JSON text as one line of a stream. Pure. */

/**
 * JSON keeps its own line ends inside strings escaped, but for three that only some call line ends: Python's `splitlines` cuts at
 * them, and with it the stream that Ollama's Python client reads.
 */
const otherLineEnds = /[\u0085\u2028\u2029]/g;

/** `json` may be laid out over several lines; outside of strings a line end is white space. */
export function oneLine(json: string): string {
  return json
    .replace(/[\r\n]+/g, " ")
    .replace(otherLineEnds, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A text as a JSON string that no reader of lines cuts. */
export function lineText(text: string): string {
  return JSON.stringify(text).replace(otherLineEnds, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

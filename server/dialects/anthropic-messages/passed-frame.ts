/**
 * What an Anthropic upstream sent, for a client of the same wire shape: as it came, but for the closed list of edits (the
 * model's name, and the event's name where an imitator left it out). Pure.
 */
import { parsedJson } from "../../domain/json-text.ts";
import type { WireFrame } from "../../domain/chat.ts";

export interface PassedFrame {
  readonly text: string;
  /** It ends the stream: the closing comment goes before it. */
  readonly isLast: boolean;
}

/** `model`: the alias the client asked for. */
export function passedFrame({ event, data }: WireFrame, model: string): PassedFrame {
  const name = event ?? typeOf(data);
  const sent = name === "message_start" ? renamed(data, model, ["message", "model"]) : data;
  const lines = sent.includes("\n") ? sent.split("\n").join("\ndata: ") : sent;
  const head = name === null ? "" : `event: ${name}\n`;
  return { text: `${head}data: ${lines}\n\n`, isLast: name === "message_stop" };
}

/** A whole answer's JSON text. */
export function passedAnswer(data: string, model: string): string {
  return renamed(data, model, ["model"]);
}

/** True for a frame that is a whole answer and no event of a stream. */
export function isWholeAnswer({ event, data }: WireFrame): boolean {
  return event === null && typeOf(data) === "message";
}

function typeOf(data: string): string | null {
  const type = at(parsedJson(data), ["type"]);
  return typeof type === "string" && !/[\r\n]/.test(type) ? type : null;
}

const modelField = /"model"\s*:\s*("(?:[^"\\]|\\.)*")/g;

/** The same JSON text with one other string in it; nothing else is touched, not even white space. */
function renamed(data: string, model: string, path: readonly string[]): string {
  const value = parsedJson(data);
  const was = at(value, path);
  if (typeof was !== "string" || was === model) return data;
  for (const found of data.matchAll(modelField)) {
    if (parsedJson(found[1] ?? "") !== was) continue;
    const name = `"model":${JSON.stringify(model)}`;
    const changed = data.slice(0, found.index) + name + data.slice(found.index + found[0].length);
    if (at(parsedJson(changed), path) === model) return changed;
  }
  return data;
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}

/**
 * gpt-oss's channels: `analysis` is reasoning, `final` and `commentary` are text, and a message to `functions.name` is a
 * call, whatever its channel. Pure. An answer begins behind `<|start|>assistant`, which the prompt ends with.
 */
import type { ReplyOutput } from "./calls.ts";
import { possibleMark, type ReplyInput, type Reading } from "./input.ts";
import { argumentsAlone } from "./json-call.ts";

const start = "<|start|>";
const channel = "<|channel|>";
const message = "<|message|>";
const constrain = "<|constrain|>";
/** Each ends the body of a message. `<|call|>` and `<|return|>` end the generation as well, so they are rarely seen. */
const bodyEnds = ["<|end|>", "<|call|>", "<|return|>", start, channel];

export const harmonyMarkers: readonly string[] = Object.freeze([message, constrain, ...bodyEnds]);

/** A longer header is text. */
const longestHeader = 512;

/** What the text is read as: a header, or the body of a message. `rest` is what follows a call in its message. */
type Part = "header" | "text" | "reasoning" | "rest";

export function* harmony(input: ReplyInput, output: ReplyOutput): Reading {
  // A recipient may stand before the channel.
  let part: Part | null = (yield* input.accept(" to=")) || (yield* input.accept(channel)) ? "header" : "text";
  input.at = 0;
  while (part !== null) {
    output.thinking = part === "reasoning";
    part = part === "header" ? yield* header(input, output) : yield* body(input, output, part);
  }
}

function* header(input: ReplyInput, output: ReplyOutput): Reading<Part | null> {
  if (!(yield* input.more())) return null;
  const written = yield* input.before(message, longestHeader);
  if (written === null) {
    // No message follows. At least one character is settled, or the same header would be found for ever.
    output.text(input.take(1));
    return "text";
  }
  const spoken = /<\|channel\|>\s*(\w+)/.exec(written)?.[1] ?? "final";
  const recipient = /\bto=([^\s<]+)/.exec(written)?.[1];
  if (recipient !== undefined) {
    const name = recipient.replace(/^functions\./, "");
    if (output.tools.has(name)) {
      if (yield* argumentsAlone(input, output, name)) {
        input.drop();
        return "rest";
      }
      output.endedInCall ||= input.ended;
    }
    // Not a call of a tool that was sent: the client sees what the model tried, without the marks.
    output.text([channel, constrain, start].reduce((text, mark) => text.replaceAll(mark, ""), written));
    input.at = written.length + message.length;
  }
  input.drop();
  return recipient === undefined && spoken === "analysis" ? "reasoning" : "text";
}

/** Up to the next header. White space around reasoning, and behind a call, belongs to the form. */
function* body(input: ReplyInput, output: ReplyOutput, part: "text" | "reasoning" | "rest"): Reading<Part | null> {
  const show = (text: string) => (part === "reasoning" ? output.reasoning(text) : output.text(text));
  let begun = part === "text";
  for (;;) {
    const end = firstOf(input.text, bodyEnds);
    const sure = end?.at ?? input.text.length - (input.ended ? 0 : possibleMark(input.text, bodyEnds));
    const arrived = input.text.slice(0, sure);
    const shown = part === "text" ? arrived.length : arrived.trimEnd().length;
    if (!begun && shown > 0) input.take(arrived.length - arrived.trimStart().length);
    show(input.take(begun || shown === 0 ? shown : shown - (arrived.length - arrived.trimStart().length)));
    begun ||= shown > 0;
    if (end !== null) return yield* afterBody(input, end.mark);
    if (input.ended) {
      input.take(input.text.length);
      return null;
    }
    yield;
  }
}

/** Settles the mark that ended a body, and the `<|start|>assistant` before the next header. */
function* afterBody(input: ReplyInput, mark: string): Reading<Part | null> {
  input.at = input.text.indexOf(mark);
  input.drop();
  if (mark === channel) return "header";
  if (mark !== start) {
    input.at = mark.length;
    input.drop();
    yield* input.skipSpace();
    input.drop();
  }
  if (!(yield* input.more())) return null;
  if (yield* input.accept(`${start}assistant`)) {
    input.drop();
    return "header";
  }
  input.at = 0;
  if (yield* input.accept(start)) {
    input.drop();
    return "header";
  }
  const header = yield* input.accept(channel);
  input.at = 0;
  return header ? "header" : "text";
}

function firstOf(text: string, marks: readonly string[]): { readonly at: number; readonly mark: string } | null {
  let first: { at: number; mark: string } | null = null;
  for (const mark of marks) {
    const at = text.indexOf(mark);
    if (at !== -1 && (first === null || at < first.at)) first = { at, mark };
  }
  return first;
}

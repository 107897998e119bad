/**
 * `<function=name>` with its arguments as JSON (Llama 3.1) or as one tag per parameter (Qwen3-Coder). Pure.
 *
 * Parameters are bare text; the tool's schema says what they are. Strings leave as they come, which matters: they hold whole
 * files.
 */
import type { CallSink } from "./calls.ts";
import type { MarkedShape } from "./content.ts";
import { possibleMark, type ReplyInput, type Reading } from "./input.ts";
import { argumentsAlone } from "./json-call.ts";
import { parameterTypes, valueText } from "./parameter-value.ts";
import type { ToolDefinition } from "../../../domain/chat.ts";

/** Longer names of functions and parameters are text. */
const longestName = 256;
const valueEnds = ["\n</parameter>", "</parameter>"];

export const functionTag: MarkedShape = {
  marks: ["\n<function=", "<function="],
  read: function* (input, sink, tools) {
    const name = (yield* input.before(">", longestName))?.trim();
    const tool = name === undefined ? undefined : tools.get(name);
    if (tool === undefined) return false;
    yield* input.skipSpace();
    if (yield* argumentsAlone(input, sink, tool.name)) {
      yield* closing(input);
      return true;
    }
    return yield* parameters(input, sink, tool);
  },
};

function* parameters(input: ReplyInput, sink: CallSink, tool: ToolDefinition): Reading<boolean> {
  let count = 0;
  for (;;) {
    const start = input.at;
    yield* input.skipSpace();
    if (yield* input.accept("</function>")) {
      if (count === 0) sink.begin(input, tool.name);
      sink.arguments(count === 0 ? "{}" : "}");
      sink.end();
      return true;
    }
    const key = (yield* input.accept("<parameter=")) ? yield* input.before(">", longestName) : null;
    if (key === null) {
      // Cut short between two parameters: what is left is half a tag. Otherwise it is read again as text.
      input.at = input.ended ? input.text.length : start;
      return count > 0;
    }
    if (count === 0) sink.begin(input, tool.name);
    sink.arguments(`${count === 0 ? "{" : ","}${JSON.stringify(key.trim())}:`);
    count += 1;
    yield* parameterValue(input, sink, parameterTypes(tool, key.trim()));
  }
}

/** One line break at either end of a value is the form's, the rest is the value's own. */
function* parameterValue(input: ReplyInput, sink: CallSink, types: ReadonlySet<string>): Reading {
  yield* input.accept("\n");
  input.drop();
  const asText = types.size === 1 && types.has("string");
  if (asText) sink.arguments('"');
  for (;;) {
    const ends = valueEnds.map((mark) => ({ at: input.text.indexOf(mark), mark })).filter(({ at }) => at !== -1);
    const [end] = ends.sort((left, right) => left.at - right.at);
    if (end !== undefined) {
      input.at = end.at;
      input.bringBack();
      const value = input.take(input.at);
      input.at = end.mark.length;
      input.drop();
      sink.arguments(asText ? `${escaped(value)}"` : valueText(value, types));
      return;
    }
    if (asText) sink.arguments(escaped(input.take(settled(input))));
    else {
      // A value that is no text is wanted whole; only its end is looked for in what comes.
      input.at = input.text.length - possibleMark(input.text, valueEnds);
      input.putAside();
    }
    if (input.ended) return;
    yield;
  }
}

/** Characters that belong to the value whatever follows. Half of a surrogate pair waits for the other. */
function settled(input: ReplyInput): number {
  const length = input.text.length - (input.ended ? 0 : possibleMark(input.text, valueEnds));
  return !input.ended && /[\uD800-\uDBFF]$/.test(input.text.slice(0, length)) ? length - 1 : length;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function* closing(input: ReplyInput): Reading {
  const start = input.at;
  yield* input.skipSpace();
  if (!(yield* input.accept("</function>"))) input.at = start;
}

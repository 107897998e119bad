/**
 * DeepSeek's calls. V3 and R1 write the type, then the name, then a code fence; V3.1 the name and the arguments alone. Pure.
 */
import type { CallSink } from "./calls.ts";
import type { MarkedShape } from "./content.ts";
import type { ReplyInput, Reading } from "./input.ts";
import { argumentsAlone, type Tools } from "./json-call.ts";

const callsBegin = "<｜tool▁calls▁begin｜>";
const callsEnd = "<｜tool▁calls▁end｜>";
const callBegin = "<｜tool▁call▁begin｜>";
const callEnd = "<｜tool▁call▁end｜>";
const separator = "<｜tool▁sep｜>";
const longestName = 256;

/** Control tokens in most files of these models. */
export const deepseekMarkers: readonly string[] = Object.freeze([callsBegin, callsEnd, callBegin, callEnd, separator]);

export const deepseekCalls: MarkedShape = {
  marks: [callsBegin, callBegin],
  read: function* (input, sink, tools, mark) {
    if (mark === callsBegin) {
      yield* input.skipSpace();
      if (!(yield* input.accept(callBegin))) return false;
    }
    if (!(yield* oneCall(input, sink, tools))) return false;
    for (;;) {
      const start = input.at;
      yield* input.skipSpace();
      if (yield* input.accept(callsEnd)) return true;
      if ((yield* input.accept(callBegin)) && (yield* oneCall(input, sink, tools))) continue;
      input.at = start;
      return true;
    }
  },
};

function* oneCall(input: ReplyInput, sink: CallSink, tools: Tools): Reading<boolean> {
  const first = (yield* input.before(separator, longestName))?.trim();
  if (first === undefined) return false;
  const name = first === "function" && !tools.has(first) ? (yield* input.before("\n", longestName))?.trim() : first;
  if (name === undefined || !tools.has(name)) return false;
  yield* input.skipSpace();
  const fenced = yield* input.accept("```json");
  if (!(yield* argumentsAlone(input, sink, name))) return false;
  const start = input.at;
  yield* input.skipSpace();
  if (fenced && (yield* input.accept("```"))) yield* input.skipSpace();
  if (!(yield* input.accept(callEnd))) input.at = start;
  return true;
}

/** Mistral's calls: `[TOOL_CALLS][{…}]` and the newer `[TOOL_CALLS]name[ARGS]{…}`, one marker per call. Pure. */
import type { MarkedShape } from "./content.ts";
import type { ReplyInput, Reading } from "./input.ts";
import { argumentsAlone, envelopes } from "./json-call.ts";

/** Names of functions and of calls are of these; a longer stretch is text. */
const wordForm = /^[\w.:/-]*/;
const longestWord = 256;

export const toolCallsMarker: MarkedShape = {
  marks: ["[TOOL_CALLS]"],
  read: function* (input, sink, tools) {
    yield* input.skipSpace();
    if (!(yield* input.more())) return false;
    if (/[[{]/.test(input.text.charAt(input.at))) return yield* envelopes(input, sink, tools);
    let name: string;
    for (;;) {
      const rest = input.text.slice(input.at);
      name = wordForm.exec(rest)?.[0] ?? "";
      if (name.length < rest.length || name.length > longestWord || !(yield* grown(input))) break;
    }
    if (!tools.has(name)) return false;
    input.at += name.length;
    // Small 3.2 puts an id of its own between; ours is the one that clients see.
    if ((yield* input.accept("[CALL_ID]")) && (yield* input.before("[ARGS]", longestWord)) !== null) {
      return yield* argumentsAlone(input, sink, name);
    }
    yield* input.accept("[ARGS]");
    return yield* argumentsAlone(input, sink, name);
  },
};

function* grown(input: ReplyInput): Reading<boolean> {
  if (input.ended) return false;
  yield;
  return true;
}

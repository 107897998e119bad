/** Llama 3.1 to 3.3: bare JSON with `parameters`, the same behind `<|python_tag|>`, or `<function=name>{…}</function>`. */
import { content, type MarkedShape } from "../content.ts";
import type { ReplyFamily } from "../family.ts";
import { functionTag } from "../function-tag.ts";
import { envelopes } from "../json-call.ts";
import { bareCalls, fencedCalls } from "../whole-answer.ts";

/** What follows is code for a tool of their own, or calls apart by semicolons. */
export const pythonTag: MarkedShape = {
  marks: ["<|python_tag|>"],
  read: function* (input, sink, tools) {
    if (!(yield* envelopes(input, sink, tools))) return false;
    for (;;) {
      const start = input.at;
      yield* input.skipSpace();
      if (!(yield* input.accept(";")) || !(yield* envelopes(input, sink, tools))) {
        input.at = start;
        return true;
      }
    }
  },
};

const shapes = { marked: [pythonTag, functionTag], whole: [bareCalls, fencedCalls] };

export const llama: ReplyFamily = {
  markers: ["<|python_tag|>", "<think>", "</think>"],
  thinking: [{ open: "<think>", close: "</think>" }],
  read: (input, output) => content(input, output, shapes),
  forced: {
    open: "",
    beforeName: '{"name": "',
    beforeArguments: '", "parameters": ',
    end: "}",
    between: "; ",
    close: "",
    mostCalls: 8,
  },
};

/** Mistral's models with tools, Magistral's reasoning among them. */
import { content } from "../content.ts";
import type { ReplyFamily } from "../family.ts";
import { toolCallsMarker } from "../mistral-calls.ts";
import { bareCalls, fencedCalls } from "../whole-answer.ts";

const shapes = { marked: [toolCallsMarker], whole: [bareCalls, fencedCalls] };

export const mistral: ReplyFamily = {
  markers: ["[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "[THINK]", "[/THINK]"],
  thinking: [
    { open: "[THINK]", close: "[/THINK]" },
    { open: "<think>", close: "</think>" },
  ],
  read: (input, output) => content(input, output, shapes),
  forced: {
    open: "[TOOL_CALLS][",
    beforeName: '{"name": "',
    beforeArguments: '", "arguments": ',
    end: "}",
    between: ", ",
    close: "]",
    mostCalls: 8,
  },
};

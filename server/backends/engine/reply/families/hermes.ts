/** Hermes, Qwen2.5, Qwen3 and those who learned from them; Qwen2.5-Coder with its three habits. */
import { content } from "../content.ts";
import type { ReplyFamily } from "../family.ts";
import { functionTag } from "../function-tag.ts";
import { toolCallTags, toolsTags } from "../tagged.ts";
import { bareCalls, fencedCalls } from "../whole-answer.ts";

const shapes = { marked: [toolCallTags, toolsTags, functionTag], whole: [bareCalls, fencedCalls] };

export const hermes: ReplyFamily = {
  markers: ["<tool_call>", "</tool_call>", "<think>", "</think>"],
  thinking: [{ open: "<think>", close: "</think>" }],
  read: (input, output) => content(input, output, shapes),
  forced: {
    open: "",
    beforeName: '<tool_call>\n{"name": "',
    beforeArguments: '", "arguments": ',
    end: "}\n</tool_call>",
    between: "\n",
    close: "",
    mostCalls: 8,
  },
};

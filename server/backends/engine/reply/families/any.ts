/** A model that is not known: every shape whose marker can hardly be meant otherwise, and reasoning between tags. */
import { plainCallForm } from "../../grammar/tool-call.ts";
import { content } from "../content.ts";
import { deepseekCalls, deepseekMarkers } from "../deepseek-calls.ts";
import type { ReplyFamily } from "../family.ts";
import { functionTag } from "../function-tag.ts";
import { toolCallsMarker } from "../mistral-calls.ts";
import { toolCallTags, toolsTags } from "../tagged.ts";
import { bareCalls, fencedCalls } from "../whole-answer.ts";
import { pythonTag } from "./llama.ts";

const shapes = {
  marked: [toolCallTags, toolsTags, functionTag, toolCallsMarker, pythonTag, deepseekCalls],
  whole: [bareCalls, fencedCalls],
};

export const any: ReplyFamily = {
  markers: [
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "[ARGS]",
    "<|python_tag|>",
    ...deepseekMarkers,
    "<think>",
    "</think>",
  ],
  thinking: [{ open: "<think>", close: "</think>" }],
  read: (input, output) => content(input, output, shapes),
  forced: plainCallForm,
};

/** DeepSeek V2.5, V3, V3.1, R1 and the models distilled from it. */
import { plainCallForm } from "../../grammar/tool-call.ts";
import { content } from "../content.ts";
import { deepseekCalls, deepseekMarkers } from "../deepseek-calls.ts";
import type { ReplyFamily } from "../family.ts";
import { bareCalls, fencedCalls } from "../whole-answer.ts";

const shapes = { marked: [deepseekCalls], whole: [bareCalls, fencedCalls] };

export const deepseek: ReplyFamily = {
  markers: [...deepseekMarkers, "<think>", "</think>"],
  thinking: [{ open: "<think>", close: "</think>" }],
  read: (input, output) => content(input, output, shapes),
  forced: plainCallForm,
};

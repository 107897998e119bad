/** Calls as JSON between a pair of tags: `<tool_call>` of Hermes and Qwen, `<tools>` of Qwen2.5-Coder. Pure. */
import type { MarkedShape } from "./content.ts";
import { functionTag } from "./function-tag.ts";
import { envelopes } from "./json-call.ts";

/** The line break before the tag is the template's, so it is not part of the text before the call. */
function between(open: string, close: string): MarkedShape {
  return {
    marks: [`\n${open}`, open],
    read: function* (input, sink, tools) {
      yield* input.skipSpace();
      // Qwen3-Coder writes its own form between the same tags.
      if (yield* input.accept("<function=")) {
        if (!(yield* functionTag.read(input, sink, tools, "<function="))) return false;
      } else if (!(yield* envelopes(input, sink, tools))) return false;
      for (;;) {
        const start = input.at;
        yield* input.skipSpace();
        if (yield* input.accept(close)) return true;
        if ((yield* input.more()) && input.text[input.at] === "{" && (yield* envelopes(input, sink, tools))) continue;
        // No closing tag: what stands here is read again as text.
        input.at = start;
        return true;
      }
    },
  };
}

export const toolCallTags = between("<tool_call>", "</tool_call>");
export const toolsTags = between("<tools>", "</tools>");

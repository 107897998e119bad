/** An answer, read, sent back by a client and rendered again, is the text that was generated: its KV stays of use. */
import { expect, test } from "vitest";
import { chatTemplate as chatml } from "../../../../../models/vocabulary/chatml.ts";
import { chatPrompt } from "../../../../../server/backends/engine/prompt-input.ts";
import type { ReplyFormat } from "../../../../../server/backends/engine/reply/format-of.ts";
import { chatTemplate } from "../../../../../server/backends/engine/preparation/template.ts";
import type { ChatMessage } from "../../../../../server/domain/chat.ts";
import { chatRequest } from "../../../../support/chat-request.ts";
import { read, replyTools } from "../../../../support/replies.ts";

/** Writes reasoning back between its tags, as templates of thinking models do. */
const thinkingTemplate = `{%- for m in messages %}<|{{ m.role }}|>{%- if m.reasoning_content %}{{ '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' }}{%- endif %}{{ m.content }}{%- for c in m.tool_calls or [] %}{%- if m.content or not loop.first %}{{ '\\n' }}{%- endif %}{{ '<tool_call>\\n{"name": "' + c.function.name + '", "arguments": ' }}{{ c.function.arguments | tojson }}{{ '}\\n</tool_call>' }}{%- endfor %}<|end|>{%- endfor %}{%- if add_generation_prompt %}<|assistant|>{%- endif %}`;

const channelTemplate = `{%- for m in messages %}<|start|>{{ m.role }}{%- if m.thinking %}{{ '<|channel|>analysis<|message|>' + m.thinking + '<|end|><|start|>assistant' }}{%- endif %}{%- for c in m.tool_calls or [] %}{{ ' to=functions.' + c.function.name + '<|channel|>commentary json<|message|>' }}{{ c.function.arguments | tojson }}{{ '<|call|>' }}{%- endfor %}{%- endfor %}{%- if add_generation_prompt %}<|start|>assistant{%- endif %}`;

const calls =
  '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}\n</tool_call>\n' +
  '<tool_call>\n{"name": "write_file", "arguments": {"path": "a/b", "content": "1\\n\\"2\\" é"}}\n</tool_call>';

test.each<[string, ReplyFormat, string, string]>([
  ["calls", "hermes", chatml, calls],
  ["text and calls", "hermes", chatml, `Let me see:\n  so. \n${calls}`],
  ["reasoning and text", "hermes", thinkingTemplate, "<think>\nOne.\n\nTwo.\n</think>\n\n Hello. "],
  ["reasoning, text and calls", "hermes", thinkingTemplate, `<think>\nOne.\n</think>\n\nHello.\n${calls}`],
  [
    "reasoning in a channel and a call",
    "gpt-oss",
    channelTemplate,
    '<|channel|>analysis<|message|>One.<|end|><|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"city": "Paris"}',
  ],
])("%s", (_, format, template, reply) => {
  const seen = read(format, reply.split(/(?<= )/));
  const render = chatTemplate({ template, bosText: "", eosText: "" });
  const user: ChatMessage = { role: "user", content: [{ type: "text", text: "x" }] };
  const echoed: ChatMessage = {
    role: "assistant",
    content: seen.text === "" ? [] : [{ type: "text", text: seen.text }],
    // Qwen Code trims reasoning, and most clients parse arguments and write them again.
    reasoning: seen.reasoning === "" ? null : seen.reasoning.trim(),
    toolCalls: seen.calls.map((call, at) => ({
      id: seen.ids[at] ?? "",
      name: call.name,
      arguments: JSON.stringify(JSON.parse(call.arguments)),
    })),
  };
  const prompt = (messages: readonly ChatMessage[]) =>
    render(chatPrompt(chatRequest("", { messages, tools: replyTools })), 2_000);
  const before = prompt([user]);
  expect(prompt([user, echoed, user]).slice(0, before.length + reply.length)).toBe(before + reply);
});

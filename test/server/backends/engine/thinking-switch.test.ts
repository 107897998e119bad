/** A client that wants no thinking: told to the chat templates that ask, and to no other. */
import { expect, test } from "vitest";
import { promptInput } from "../../../../server/backends/engine/prompt-input.ts";
import { chatTemplate } from "../../../../server/backends/engine/preparation/template.ts";
import { dialects } from "../../../../server/dialects/index.ts";
import type { ChatRequest } from "../../../../server/domain/chat.ts";

const asking = `{%- for message in messages %}<|{{ message.role }}|>{{ message.content }}{%- endfor %}<|assistant|>
{%- if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}`;
const notAsking = asking.replace(/\{%- if enable_thinking[\s\S]*/, "");

function prompted(request: ChatRequest, template: string): string {
  const input = promptInput(request);
  if (input.type !== "chat") throw new Error("a chat was asked for");
  return chatTemplate({ template, bosText: "", eosText: "" })(input, 2_000);
}

const messages = [{ role: "user", content: "hi" }];
const openai = (wish: object) => dialects["openai-chat"].decodeChat({ model: "m", messages, ...wish });
const ollama = (wish: object) => dialects.ollama.decodeChat({ model: "m", messages, ...wish });
const anthropic = (wish: object) =>
  dialects["anthropic-messages"].decodeChat({ model: "m", messages, max_tokens: 2_000, ...wish });

test.each([
  ["OpenAI's reasoning_effort none", openai({ reasoning_effort: "none" })],
  ["Ollama's think false", ollama({ think: false })],
  ["Anthropic's thinking disabled", anthropic({ thinking: { type: "disabled" } })],
])("%s closes the thinking before it begins", (_, request) => {
  expect(prompted(request, asking)).toBe("<|user|>hi<|assistant|><think>\n\n</think>\n\n");
  expect(prompted(request, notAsking)).toBe("<|user|>hi<|assistant|>");
});

test.each([
  ["nothing", openai({})],
  ["an effort", openai({ reasoning_effort: "low" })],
  ["think true", ollama({ think: true })],
])("whoever says %s gets what the template does by itself", (_, request) => {
  expect(prompted(request, asking)).toBe("<|user|>hi<|assistant|>");
});

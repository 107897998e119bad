/**
 * What our own models have in common with the Qwen family as a chat client sees it: the special tokens and a chat template
 * of the ChatML form, with tools between `<tools>` and calls between `<tool_call>`. Pure data.
 */

/** Control tokens end or structure a conversation; marks are text that is always one token. */
export interface SpecialToken {
  readonly text: string;
  readonly kind: "control" | "mark";
}

export const endOfText = "<|endoftext|>";
export const messageEnd = "<|im_end|>";

/** In the order of the Qwen2.5 vocabulary where they are part of it. */
export const specialTokens: readonly SpecialToken[] = Object.freeze([
  { text: endOfText, kind: "control" },
  { text: "<|im_start|>", kind: "control" },
  { text: messageEnd, kind: "control" },
  { text: "<tool_call>", kind: "mark" },
  { text: "</tool_call>", kind: "mark" },
  { text: "<tool_response>", kind: "mark" },
  { text: "</tool_response>", kind: "mark" },
]);

/** Around a gap that is to be filled in, as in Qwen2.5-Coder; the engine knows them by these texts. */
export const infillTokens: readonly SpecialToken[] = Object.freeze([
  { text: "<|fim_prefix|>", kind: "control" },
  { text: "<|fim_middle|>", kind: "control" },
  { text: "<|fim_suffix|>", kind: "control" },
]);

/** How GGUF numbers kinds of tokens. */
export const tokenTypes = Object.freeze({ normal: 1, control: 3, mark: 4, unused: 5 });

/**
 * Roles system, user, assistant and tool. A first system message and the tools share one block; answers of tools go into a
 * user block, neighbours into the same one, as models of this family are trained.
 */
export const chatTemplate = `{%- set first_system = messages and messages[0].role == 'system' %}
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if first_system %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- 'These functions can be called. Each line between <tools> and </tools> describes one as JSON:\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '\\n</tools>\\n\\nTo call a function, write its name and its arguments as JSON:\\n<tool_call>\\n' }}
    {{- '{"name": "...", "arguments": {...}}\\n</tool_call><|im_end|>\\n' }}
{%- elif first_system %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' or message.role == 'system' and not loop.first %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant' }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for call in message.tool_calls or [] %}
            {%- set function = call.function or call %}
            {{- '\\n<tool_call>\\n{"name": ' + (function.name | tojson) + ', "arguments": ' }}
            {{- function.arguments if function.arguments is string else function.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
`;

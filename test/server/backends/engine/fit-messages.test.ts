/** Templates that refuse things, and how a conversation that agents send is brought past them. */
import { describe, expect, test } from "vitest";
import { chatPrompt } from "../../../../server/backends/engine/prompt-input.ts";
import { chatTemplate } from "../../../../server/backends/engine/preparation/template.ts";
import type { ChatMessage } from "../../../../server/domain/chat.ts";
import { chatRequest } from "../../../support/chat-request.ts";

const text = (said: string) => (said === "" ? [] : [{ type: "text" as const, text: said }]);
const system = (said: string): ChatMessage => ({ role: "system", content: text(said) });
const user = (said: string): ChatMessage => ({ role: "user", content: text(said) });
const result = (toolCallId: string, said: string): ChatMessage => ({ role: "tool", toolCallId, content: text(said) });
const assistant = (said: string, ids: readonly string[] = [], written = '{"a":1}'): ChatMessage => ({
  role: "assistant",
  content: text(said),
  reasoning: null,
  toolCalls: ids.map((id) => ({ id, name: `f_${id}`, arguments: written })),
});

function render(template: string, messages: readonly ChatMessage[]): string {
  const write = chatTemplate({ template, bosText: "", eosText: "" });
  return write(chatPrompt(chatRequest("", { messages })), 2_000);
}

/** Prints what it gets, one line a message. */
const printed = `{%- for m in messages %}{{ m.role }}:{{ m.content }}{%- for c in m.tool_calls or [] %} {{ c.id }}={{ c.function.arguments | tojson }}{%- endfor %}{%- if m.tool_call_id %} ({{ m.tool_call_id }}, {{ m.name }}){%- endif %}{{ '\\n' }}{%- endfor %}`;

const alternating = `{%- set ns = namespace(last='assistant') %}{%- for m in messages %}
{%- if m.role == 'system' and not loop.first %}{{ raise_exception('system must come first') }}{%- endif %}
{%- if m.role == ns.last and m.role != 'tool' %}{{ raise_exception('roles must alternate') }}{%- endif %}
{%- if m.role != 'system' %}{%- set ns.last = m.role %}{%- endif %}{%- endfor %}${printed}`;

test("what a template takes is left as it is", () => {
  const messages = [system("s"), user("a"), user("b"), assistant("c"), assistant(""), system("d")];
  expect(render(printed, messages)).toBe("system:s\nuser:a\nuser:b\nassistant:c\nassistant:\nsystem:d\n");
});

test("roles that must alternate: neighbours are joined, a late system message is a note where it stood", () => {
  const messages = [
    system("s"),
    system("t"),
    user("a"),
    user("b"),
    assistant("c"),
    assistant("d"),
    system("e"),
    user("f"),
  ];
  const shown = "system:s\n\nt\nuser:a\n\nb\nassistant:c\n\nd\nuser:System note:\ne\n\nf\n";
  expect(render(alternating, messages)).toBe(shown);
  // The next turn begins with the same text: what was computed for it is still of use.
  expect(render(alternating, [...messages, assistant("g"), user("h")])).toBe(`${shown}assistant:g\nuser:h\n`);
});

test("a template without system messages gets them in the first user message", () => {
  const template = `{%- if messages[0].role == 'system' %}{{ raise_exception('no system') }}{%- endif %}${alternating}`;
  expect(render(template, [system("s"), user("a")])).toBe("user:s\n\na\n");
  expect(render(template, [system("s"), assistant("a")])).toBe("user:s\nassistant:a\n");
});

test("one call per message: each is followed by its result, in whatever order the results came", () => {
  const template = `{%- for m in messages %}{%- if (m.tool_calls or []) | length > 1 %}{{ raise_exception('one call') }}{%- endif %}{%- endfor %}${printed}`;
  const messages = [user("a"), assistant("b", ["x", "y"]), result("y", "Y"), result("x", "X"), result("x", "again")];
  const [x, y] = ["2d711642b", "a1fce4363"];
  expect(render(template, messages)).toBe(
    `user:a\nassistant:b ${x}={"a": 1}\ntool:X (${x}, f_x)\ntool:again (${x}, f_x)\nassistant: ${y}={"a": 1}\ntool:Y (${y}, f_y)\n`,
  );
});

test("ids of nine letters and digits", () => {
  const template = `{%- for m in messages %}{%- for c in m.tool_calls or [] %}{%- if c.id | length != 9 %}{{ raise_exception('nine') }}{%- endif %}{%- endfor %}{%- endfor %}${printed}`;
  const shown = render(template, [user("a"), assistant("", ["call_0123456789"]), result("call_0123456789", "r")]);
  const [id] = /[0-9a-f]{9}/.exec(shown) ?? [];
  expect(shown).toBe(`user:a\nassistant: ${id}={"a": 1}\ntool:r (${id}, f_call_0123456789)\n`);
});

describe("arguments", () => {
  const joining =
    "{%- for m in messages %}{%- for c in m.tool_calls or [] %}{{ '<' + c.function.arguments + '>' }}{%- endfor %}{%- endfor %}";
  const listing =
    "{%- for m in messages %}{%- for c in m.tool_calls or [] %}{%- for k, v in c.function.arguments | items %}{{ k }}={{ v }};{%- endfor %}{%- endfor %}{%- endfor %}";

  test("a template that joins them to its text gets text", () => {
    expect(render(joining, [assistant("", ["x"])])).toBe('<{"a":1}>');
    expect(render(joining, [assistant("", ["x"], "no JSON")])).toBe("<no JSON>");
  });

  test("a template that lists them gets an object, even of what is no JSON", () => {
    expect(render(listing, [assistant("", ["x"])])).toBe("a=1;");
    expect(render(listing, [assistant("", ["x"], "no JSON")])).toBe("arguments=no JSON;");
  });
});

test("a template that refuses everything says so in its own words", () => {
  expect(() => render("{{ raise_exception('not today') }}", [user("a")])).toThrow(/refused these messages: not today/);
});

test("a template that runs for ever is not tried again", () => {
  const write = chatTemplate({
    template: "{%- for a in range(100000) %}{%- for b in range(100000) %}{%- endfor %}{%- endfor %}",
    bosText: "",
    eosText: "",
  });
  expect(() => write(chatPrompt(chatRequest("x")), 100)).toThrow(/longer than 100 ms/);
});

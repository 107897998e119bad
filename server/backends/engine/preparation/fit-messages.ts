/**
 * Messages that a chat template refuses → the same messages in a form it may take. Pure; runs where templates do.
 *
 * Templates disagree about what a conversation may look like: roles must alternate, no system message or only a first one, one
 * call per message, ids of nine characters. What a template wants is found by trying: the messages as they are, then one step
 * after the other on top of it, each of which keeps every message's place, so that the prefix of a growing conversation stays.
 */
import { createHash } from "node:crypto";
import { Failure } from "../../../domain/failure.ts";
import type { ChatPrompt, TemplateMessage } from "./protocol.ts";

type Messages = readonly TemplateMessage[];
type Fit = (messages: Messages) => Messages;

/** The first form of the prompt that `render` takes. Throws the refusal of the prompt as it was when it takes none. */
export function firstThatFits(prompt: ChatPrompt, render: (prompt: ChatPrompt) => string): string {
  let { messages } = prompt;
  let refusal: unknown;
  for (const step of [asTheyAre, plainFields, inTurns, oneCallEach, withoutSystem]) {
    messages = step(messages);
    try {
      const text = render({ ...prompt, messages });
      // A template that joins arguments to its text wants them as text. The interpreter says so only like this.
      return text.includes(objectAsText) && !JSON.stringify(messages).includes(objectAsText)
        ? render({ ...prompt, messages: messages.map(textArguments) })
        : text;
    } catch (thrown) {
      refusal ??= thrown;
      if (!isRefusal(thrown)) throw thrown;
    }
  }
  throw refusal;
}

const objectAsText = "[object Map]";

/** The template said no to the messages; a time limit or a broken template is no matter of form. */
function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.param === "messages";
}

const asTheyAre: Fit = (messages) => messages;

/** Ids of nine letters and digits, arguments that are objects, and reasoning under the name that all templates know. */
const plainFields: Fit = (messages) =>
  messages.map(({ thinking: _, ...message }) => ({
    ...message,
    ...(message.tool_call_id === undefined ? {} : { tool_call_id: shortId(message.tool_call_id) }),
    ...(message.tool_calls === undefined ? {} : { tool_calls: message.tool_calls.map(plainCall) }),
  }));

type TemplateCall = NonNullable<TemplateMessage["tool_calls"]>[number];

function plainCall(call: TemplateCall): TemplateCall {
  const given = call.function.arguments;
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  return {
    ...call,
    id: shortId(call.id),
    function: { ...call.function, arguments: isObject ? given : { arguments: given } },
  };
}

function shortId(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 9);
}

/** One system message, at the beginning; later ones are notes of the user's. Neighbours of one role become one message. */
const inTurns: Fit = (messages) => {
  const turns: TemplateMessage[] = [];
  for (const message of messages) {
    const late = message.role === "system" && turns.some((turn) => turn.role !== "system");
    const next = late ? { ...message, role: "user", content: `System note:\n${message.content}` } : message;
    const last = turns.at(-1);
    if (last === undefined || last.role !== next.role || next.role === "tool") turns.push(next);
    else turns[turns.length - 1] = joined(last, next);
  }
  return turns;
};

function joined(first: TemplateMessage, second: TemplateMessage): TemplateMessage {
  const text = (...parts: readonly (string | undefined)[]) =>
    parts.filter((part) => part !== undefined && part !== "").join("\n\n");
  const calls = [...(first.tool_calls ?? []), ...(second.tool_calls ?? [])];
  const reasoning = text(first.reasoning_content, second.reasoning_content);
  return {
    role: first.role,
    content: text(first.content, second.content),
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** Several calls of one message become as many messages, each followed by its own result. */
const oneCallEach: Fit = (messages) => {
  const results = new Map<string, TemplateMessage[]>();
  for (const message of messages) {
    const id = message.tool_call_id;
    if (id !== undefined) results.set(id, [...(results.get(id) ?? []), message]);
  }
  const parallel = messages.flatMap(({ tool_calls: calls }) => (calls !== undefined && calls.length > 1 ? calls : []));
  const moved = new Set(parallel.map((call) => call.id));
  return messages.flatMap((message): Messages => {
    const calls = message.tool_calls ?? [];
    if (message.tool_call_id !== undefined && moved.has(message.tool_call_id)) return [];
    if (calls.length < 2) return [message];
    return calls.flatMap((call, at) => [
      { ...(at === 0 ? message : { role: message.role, content: "" }), tool_calls: [call] },
      ...(results.get(call.id) ?? []),
    ]);
  });
};

/** What the system message says stands at the beginning of the first user message. */
const withoutSystem: Fit = (messages) => {
  const [system, ...rest] = messages;
  if (system?.role !== "system") return messages;
  const [first, ...others] = rest;
  if (first?.role !== "user") return [{ ...system, role: "user" }, ...rest];
  return [{ ...first, content: `${system.content}\n\n${first.content}` }, ...others];
};

function textArguments(message: TemplateMessage): TemplateMessage {
  if (message.tool_calls === undefined) return message;
  const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return {
    ...message,
    tool_calls: message.tool_calls.map((call) => ({
      ...call,
      function: { ...call.function, arguments: asText(call.function.arguments) },
    })),
  };
}

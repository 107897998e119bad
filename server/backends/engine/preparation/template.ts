/**
 * Renders a GGUF's own chat template. The template is somebody else's program: it runs in a sandboxed interpreter (no
 * access to JavaScript) and under a time limit, after which the request is refused. Runs in the preparation process.
 */
import { createContext, Script } from "node:vm";
import { Template } from "@huggingface/jinja";
import { Failure } from "../../../domain/failure.ts";
import { firstThatFits } from "./fit-messages.ts";
import type { ChatPrompt } from "./protocol.ts";

export interface TemplateFacts {
  readonly template: string | null;
  readonly bosText: string;
  readonly eosText: string;
}

export type RenderPrompt = (prompt: ChatPrompt, timeLimitMs: number) => string;

/** The variable by which templates of models that can think or not (Qwen3, GLM, SmolLM3) are told which it is. */
const thinkingSwitch = "enable_thinking";

/** Parses once. A model without a template, or with one that does not parse, refuses every chat with a sentence. */
export function chatTemplate(facts: TemplateFacts): RenderPrompt {
  const parsed = parse(facts.template);
  const asksAboutThinking = facts.template?.includes(thinkingSwitch) ?? false;
  // V8 ends whatever runs under `runInContext` at the limit, the interpreter outside the context included.
  const host = createContext({ render: () => "" });
  const script = new Script("render()");
  const renderOnce: RenderPrompt = (prompt, timeLimitMs) => {
    if (typeof parsed === "string") throw new Failure("invalid_request", parsed);
    host.render = () =>
      parsed.render({
        messages: prompt.messages,
        ...(prompt.tools.length > 0 ? { tools: prompt.tools } : {}),
        ...(asksAboutThinking && prompt.withoutThinking === true ? { [thinkingSwitch]: false } : {}),
        add_generation_prompt: true,
        bos_token: facts.bosText,
        eos_token: facts.eosText,
      });
    try {
      const text: unknown = script.runInContext(host, { timeout: timeLimitMs });
      return String(text);
    } catch (thrown) {
      throw asRefusal(thrown, timeLimitMs);
    } finally {
      host.render = () => "";
    }
  };
  return (prompt, timeLimitMs) => firstThatFits(prompt, (form) => renderOnce(form, timeLimitMs));
}

function parse(template: string | null): Template | string {
  if (template === null) return "This model's file has no chat template, so it cannot answer chat requests.";
  try {
    return new Template(template);
  } catch {
    return "This model's chat template cannot be read, so it cannot answer chat requests.";
  }
}

function asRefusal(thrown: unknown, timeLimitMs: number): Failure {
  // The error is of the context's own world, so `instanceof` does not know it.
  const timedOut = Reflect.get(Object(thrown), "code") === "ERR_SCRIPT_EXECUTION_TIMEOUT";
  if (timedOut) {
    return new Failure(
      "invalid_request",
      `The model's chat template ran longer than ${timeLimitMs} ms and was stopped.`,
    );
  }
  // What a template raises on purpose ("roles must alternate") is written for whoever sent the messages.
  const reason = thrown instanceof Error ? thrown.message.slice(0, 300) : "unknown reason";
  return new Failure("invalid_request", `The model's chat template refused these messages: ${reason}`, {
    param: "messages",
    cause: thrown,
  });
}

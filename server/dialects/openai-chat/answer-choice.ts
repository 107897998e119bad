/**
 * One choice of an OpenAI answer, out of deltas or a whole message, → events. Pure; holds the state of that choice; imports the
 * domain only.
 */
import type { ChatEvent, ChosenLogprob, FinishReason, TokenLogprob } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { NamedTool } from "../tool-names.ts";
import { at } from "../usage/figures.ts";
import { ToolJoiner } from "./tool-joiner.ts";

const finishReasons: Readonly<Record<string, FinishReason>> = Object.freeze({
  stop: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  safety: "content-filter",
});

/** What upstreams write instead of a reason when the answer is not whole. */
const brokenReasons: Readonly<Record<string, () => Failure>> = Object.freeze({
  error: () => new Failure("upstream_failed", "The upstream failed inside its answer."),
  abort: () => new Failure("upstream_cut", "The upstream broke its answer off."),
  insufficient_system_resource: () =>
    new Failure("upstream_overloaded", "The upstream ran out of room for the answer."),
});

export class AnswerChoice {
  readonly #joiner: ToolJoiner;
  readonly #choice: { readonly choice?: number };
  readonly #withLogprobs: boolean;
  /** The old `function_call` comes in pieces without number or id. */
  #oldCallId: string | null = null;
  readonly #nextId: () => string;
  /** Null: it has not ended. */
  finishReason: FinishReason | null = null;

  constructor(
    tools: readonly NamedTool[],
    nextId: () => string,
    choice: { readonly choice?: number },
    withLogprobs: boolean,
  ) {
    this.#joiner = new ToolJoiner(tools, nextId, choice);
    this.#nextId = nextId;
    this.#choice = choice;
    this.#withLogprobs = withLogprobs;
  }

  /** `delta` is a delta or a whole message; `logprobs` what stands beside it. */
  read(delta: unknown, logprobs: unknown): readonly ChatEvent[] {
    const events: ChatEvent[] = [];
    const thought = textOf(at(delta, "reasoning_content")) || textOf(at(delta, "reasoning"));
    if (thought !== "") events.push({ type: "reasoning", text: thought, ...this.#choice });
    events.push(...this.#content(at(delta, "content"), logprobs));
    const refusal = textOf(at(delta, "refusal"));
    if (refusal !== "") events.push({ type: "refusal", text: refusal, ...this.#choice });
    events.push(...this.#joiner.add(at(delta, "tool_calls")));
    const old = at(delta, "function_call");
    if (old !== undefined && old !== null) {
      this.#oldCallId ??= this.#nextId();
      events.push(...this.#joiner.add([{ index: "function_call", id: this.#oldCallId, function: old }]));
    }
    return events;
  }

  /** The reason an upstream gave; a reason nobody knows is an end all the same. */
  end(reason: string): readonly ChatEvent[] | Failure {
    const broken = Object.hasOwn(brokenReasons, reason) ? brokenReasons[reason] : undefined;
    if (broken !== undefined) return broken();
    const rest = this.#joiner.end();
    if (rest === null) return new Failure("upstream_failed", "The upstream called a tool without naming it.");
    const said = Object.hasOwn(finishReasons, reason) ? finishReasons[reason] : undefined;
    const finishReason = said ?? "stop";
    // Some say `stop` after calls, and a client would not carry them out.
    this.finishReason = finishReason === "stop" && this.#joiner.hasCalls ? "tool-calls" : finishReason;
    return rest;
  }

  /** Text; Mistral sends a list of parts where it has thought. */
  #content(content: unknown, logprobs: unknown): readonly ChatEvent[] {
    if (typeof content === "string") {
      const found = this.#withLogprobs ? chosenLogprobs(at(logprobs, "content")) : [];
      if (content === "" && found.length === 0) return [];
      return [{ type: "text", text: content, ...(found.length === 0 ? {} : { logprobs: found }), ...this.#choice }];
    }
    if (!Array.isArray(content)) return [];
    return content.flatMap((part): ChatEvent[] => {
      const thinking = at(part, "thinking");
      const thought = Array.isArray(thinking)
        ? thinking.map((one) => textOf(at(one, "text"))).join("")
        : textOf(thinking);
      if (thought !== "") return [{ type: "reasoning", text: thought, ...this.#choice }];
      const text = textOf(at(part, "text"));
      return text === "" ? [] : [{ type: "text", text, ...this.#choice }];
    });
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function chosenLogprobs(tokens: unknown): readonly ChosenLogprob[] {
  if (!Array.isArray(tokens)) return [];
  return tokens.flatMap((token) => {
    const own = tokenLogprob(token);
    const top: unknown = at(token, "top_logprobs");
    if (own === null) return [];
    return [{ ...own, top: Array.isArray(top) ? top.map(tokenLogprob).filter((one) => one !== null) : [] }];
  });
}

function tokenLogprob(token: unknown): TokenLogprob | null {
  const text = at(token, "token");
  const logprob = at(token, "logprob");
  const bytes = at(token, "bytes");
  if (typeof text !== "string" || typeof logprob !== "number") return null;
  const isBytes = Array.isArray(bytes) && bytes.every((byte) => typeof byte === "number");
  return { text, logprob, bytes: isBytes ? bytes : [...new TextEncoder().encode(text)] };
}

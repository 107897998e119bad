/** A whole chat answer as one JSON text, for a client that did not ask for a stream. Pure; imports the domain only. */
import type { ChatEvent, ChosenLogprob, FinishReason } from "../../domain/chat.ts";
import type { ReplyFacts } from "../dialect.ts";
import { wireUsage } from "../openai-usage.ts";
import { wireLogprobs } from "./logprobs.ts";
import { reasoningDetail } from "./reasoning-details.ts";

export const finishReasons = Object.freeze({
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  // The wire has no word for a pause: what came so far is an answer.
  pause: "stop",
}) satisfies Record<FinishReason, string>;

interface WireCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; arguments: string };
  readonly extra_content?: object;
}

/** A call's signature where Google's own OpenAI wire has it: a client that knows the place sends it back. */
export function signed(signature: string | undefined): { readonly extra_content?: object } {
  return signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } };
}

/** One choice as its events add up. */
interface Choice {
  text: string;
  reasoning: string;
  /** How much of `reasoning` stands in signed blocks. */
  signedLength: number;
  readonly details: object[];
  refusal: string | null;
  readonly calls: WireCall[];
  logprobs: ChosenLogprob[] | null;
  finishReason: FinishReason | null;
}

/** `id` is the completion's. */
export function wholeAnswer(events: readonly ChatEvent[], id: string, facts: ReplyFacts): string {
  const choices: Choice[] = [];
  let usage: object | null = null;
  const choiceOf = (index = 0): Choice => {
    const known = choices[index];
    if (known !== undefined) return known;
    const fresh: Choice = {
      ...{ text: "", reasoning: "", signedLength: 0, details: [], refusal: null },
      ...{ calls: [], logprobs: null, finishReason: null },
    };
    choices[index] = fresh;
    return fresh;
  };
  for (const event of events) {
    switch (event.type) {
      case "text": {
        const choice = choiceOf(event.choice);
        choice.text += event.text;
        if (event.logprobs !== undefined) choice.logprobs = [...(choice.logprobs ?? []), ...event.logprobs];
        break;
      }
      case "reasoning":
        choiceOf(event.choice).reasoning += event.text;
        break;
      case "reasoning-block": {
        const choice = choiceOf(event.choice);
        const detail = reasoningDetail(event.block, choice.reasoning.slice(choice.signedLength));
        choice.signedLength = choice.reasoning.length;
        if (detail !== null) choice.details.push(detail);
        break;
      }
      case "refusal": {
        const choice = choiceOf(event.choice);
        choice.refusal = (choice.refusal ?? "") + event.text;
        break;
      }
      case "tool-call": {
        choiceOf(event.choice).calls[event.index] = {
          id: event.id,
          type: "function",
          function: { name: event.name, arguments: "" },
          ...signed(event.signature),
        };
        break;
      }
      case "tool-arguments": {
        const call = choiceOf(event.choice).calls[event.index];
        if (call !== undefined) call.function.arguments += event.text;
        break;
      }
      case "choice-finished":
        choiceOf(event.choice).finishReason = event.finishReason;
        break;
      case "finished":
        usage = wireUsage(event.usage);
        // The only choice; of several, each has said its own.
        if (choiceOf(0).finishReason === null) choiceOf(0).finishReason = event.finishReason;
        break;
      default:
        break;
    }
  }
  return JSON.stringify({
    id,
    object: "chat.completion",
    created: facts.createdAtS,
    model: facts.model,
    system_fingerprint: facts.fingerprint,
    choices: choices.map(wireChoice),
    ...(usage === null ? {} : { usage }),
  });
}

function wireChoice(
  { text, reasoning, details, refusal, calls, logprobs, finishReason }: Choice,
  index: number,
): object {
  return {
    index,
    message: {
      role: "assistant",
      content: text === "" && (calls.length > 0 || refusal !== null) ? null : text,
      ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
      ...(details.length === 0 ? {} : { reasoning_details: details }),
      refusal,
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
    logprobs: logprobs === null ? null : wireLogprobs(logprobs),
    finish_reason: finishReason === null ? null : finishReasons[finishReason],
  };
}

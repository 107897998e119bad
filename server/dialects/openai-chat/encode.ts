/**
 * `ChatEvent`s → OpenAI chunks or one completion. Pure; runs in the server process; imports the domain only.
 *
 * A text chunk is written for every token of every stream, so its envelope is built once and only the text is
 * stringified.
 */
import type { ChatEvent, ChatRequest, FinishReason } from "../../domain/chat.ts";
import type { Usage } from "../../domain/usage.ts";
import { closingComment } from "../closing-comment.ts";
import type { ChatEncoder, ClosingFacts, ReplyFacts } from "../dialect.ts";
import { failureFrame } from "./failure.ts";

const finishReasons = Object.freeze({
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
}) satisfies Record<FinishReason, string>;

function wireUsage(usage: Usage): object {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

export function chatEncoder(request: ChatRequest, facts: ReplyFacts): ChatEncoder {
  const id = `chatcmpl-${facts.requestId}`;
  const head =
    `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${facts.createdAtS},` +
    `"model":${JSON.stringify(facts.model)},"system_fingerprint":${JSON.stringify(facts.fingerprint)},"choices":[`;
  // A client that asked for usage is told `null` on every chunk but the last, as OpenAI does.
  const tail = request.includeUsage ? `],"usage":null}\n\n` : "]}\n\n";
  const choice = `${head}{"index":0,"delta":`;
  const running = `,"logprobs":null,"finish_reason":null}${tail}`;
  const textHead = `${choice}{"content":`;
  const textTail = `}${running}`;

  let begun = false;
  let finished = false;

  /** The chunk that names the role, before the first content and never again. */
  function opening(content: string): string {
    if (begun) return "";
    begun = true;
    return `${choice}{"role":"assistant","content":${content}}${running}`;
  }

  function frames(event: ChatEvent): string {
    switch (event.type) {
      case "text":
        return `${opening('""')}${textHead}${JSON.stringify(event.text)}${textTail}`;
      case "reasoning":
        return `${opening("null")}${choice}{"reasoning_content":${JSON.stringify(event.text)}}${running}`;
      case "tool-call": {
        const call = {
          index: event.index,
          id: event.id,
          type: "function",
          function: { name: event.name, arguments: "" },
        };
        return `${opening("null")}${choice}{"tool_calls":[${JSON.stringify(call)}]}${running}`;
      }
      case "tool-arguments": {
        const piece = { index: event.index, function: { arguments: event.text } };
        return `${opening("null")}${choice}{"tool_calls":[${JSON.stringify(piece)}]}${running}`;
      }
      case "finished": {
        finished = true;
        const end = `${choice}{},"logprobs":null,"finish_reason":"${finishReasons[event.finishReason]}"}${tail}`;
        const usage = request.includeUsage ? `${head}],"usage":${JSON.stringify(wireUsage(event.usage))}}\n\n` : "";
        return `${opening('""')}${end}${usage}`;
      }
      case "failed":
        return failureFrame(event.failure);
      case "accepted":
      case "started":
      case "aborted":
        return "";
    }
  }

  function close(closing: ClosingFacts): string {
    // Without `[DONE]` a client knows that what it has is not the whole answer.
    return closingComment(closing) + (finished ? "data: [DONE]\n\n" : "");
  }

  function whole(events: readonly ChatEvent[]): string {
    let text = "";
    let reasoning = "";
    const calls: { id: string; type: "function"; function: { name: string; arguments: string } }[] = [];
    let finishReason: string | null = null;
    let usage: object | null = null;
    for (const event of events) {
      if (event.type === "text") text += event.text;
      else if (event.type === "reasoning") reasoning += event.text;
      else if (event.type === "tool-call") {
        calls[event.index] = { id: event.id, type: "function", function: { name: event.name, arguments: "" } };
      } else if (event.type === "tool-arguments") {
        const call = calls[event.index];
        if (call !== undefined) call.function.arguments += event.text;
      } else if (event.type === "finished") {
        finishReason = finishReasons[event.finishReason];
        usage = wireUsage(event.usage);
      }
    }
    return JSON.stringify({
      id,
      object: "chat.completion",
      created: facts.createdAtS,
      model: facts.model,
      system_fingerprint: facts.fingerprint,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text === "" && calls.length > 0 ? null : text,
            ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
            refusal: null,
            ...(calls.length === 0 ? {} : { tool_calls: calls }),
          },
          logprobs: null,
          finish_reason: finishReason,
        },
      ],
      ...(usage === null ? {} : { usage }),
    });
  }

  return { frames, close, whole };
}

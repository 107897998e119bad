/** About how many tokens a prompt has, before anybody has counted. Pure. */
import { type ChatRequest, textOf } from "./chat.ts";

/** English and code have about four characters per token. What is reserved by this is corrected when the answer has ended. */
const charactersPerToken = 4;

export function estimatedTokens(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

/** Of one prompt: a text, or tokens that somebody has counted already. */
function estimatedTokensOf(prompt: string | readonly number[]): number {
  return typeof prompt === "string" ? estimatedTokens(prompt.length) : prompt.length;
}

export function estimatedInputTokens(inputs: readonly (string | readonly number[])[]): number {
  return inputs.reduce((sum, input) => sum + estimatedTokensOf(input), 0);
}

export function estimatedPromptTokens(request: ChatRequest): number {
  if (request.completion !== null) return estimatedInputTokens(request.completion.prompts);
  let characters = 0;
  for (const message of request.messages) {
    characters += textOf(message.content).length;
    if (message.role !== "assistant") continue;
    for (const call of message.toolCalls) characters += call.name.length + call.arguments.length;
  }
  for (const { name, description, parameters } of request.tools) {
    characters += name.length + (description?.length ?? 0) + JSON.stringify(parameters ?? {}).length;
  }
  return estimatedTokens(characters);
}

/** `ChatRequest` → the body of Gemini's generateContent. Pure; imports the domain only. */
import type { ChatRequest, ReasoningEffort, ReasoningWish, ToolDefinition } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { calledMessages, effortWord } from "../called-messages.ts";
import type { CallFacts } from "../called.ts";
import { freeTextParameters, type NamedTool, namedTools, wireNameOf } from "../tool-names.ts";
import { isWireObject } from "../usage/figures.ts";
import { conversationOf } from "./contents.ts";
import { geminiSchema } from "./schema.ts";

type Body = Record<string, unknown>;

const mostStops = 5;
const budgets: Readonly<Record<ReasoningEffort, number>> = Object.freeze({
  none: 0,
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
});
const levels: Readonly<Record<ReasoningEffort, string>> = Object.freeze({
  none: "minimal",
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
});

export function callBody(request: ChatRequest, facts: CallFacts): Body {
  const own = request.wire?.dialect === "gemini" ? request.wire.body : null;
  const body = own === null ? translated(request, facts) : passed(own, facts);
  return { ...body, ...facts.extraBody };
}

/** The model stands in the path; only the bound of the answer is edited. */
function passed(sent: Readonly<Body>, { maxTokens }: CallFacts): Body {
  const { model: _, ...body } = sent;
  if (maxTokens === null) return body;
  const config = isWireObject(sent.generationConfig) ? sent.generationConfig : {};
  return { ...body, generationConfig: { ...config, maxOutputTokens: maxTokens } };
}

function translated(request: ChatRequest, facts: CallFacts): Body {
  refuseWhatItCannotGive(request);
  const tools = namedTools(request.tools);
  const levelled = generationOf(facts.model) >= 3;
  const { systemInstruction, contents } = conversationOf(calledMessages(request), tools, levelled);
  const config = generationConfig(request, facts.maxTokens, levelled);
  return {
    contents,
    ...(systemInstruction !== null && { systemInstruction }),
    ...toolFields(request, tools),
    ...(Object.keys(config).length > 0 && { generationConfig: config }),
  };
}

function refuseWhatItCannotGive({ stop, logprobs, sampling }: ChatRequest): void {
  if (stop.length > mostStops) {
    throw new Failure("unsupported", `This upstream takes at most ${mostStops} stop strings.`, { param: "stop" });
  }
  if (logprobs !== null) {
    throw new Failure("unsupported", "This upstream gives no log-probabilities.", { param: "logprobs" });
  }
  if (sampling.logitBias.size > 0) {
    throw new Failure("unsupported", "This upstream takes no bias of tokens.", { param: "logit_bias" });
  }
}

/** `gemini-3-pro` → 3: from there on thinking has levels, and signatures are checked. 0: not one of that name. */
function generationOf(model: string): number {
  return Number(/(?:^|\/)gemini-(\d+)/.exec(model)?.[1] ?? 0);
}

function generationConfig(request: ChatRequest, maxTokens: number | null, levelled: boolean): Body {
  const { sampling, stop, responseFormat, reasoning } = request;
  return {
    ...(maxTokens !== null && { maxOutputTokens: maxTokens }),
    ...(sampling.temperature !== null && { temperature: sampling.temperature }),
    ...(sampling.topP !== null && { topP: sampling.topP }),
    ...(sampling.topK !== null && sampling.topK > 0 && { topK: sampling.topK }),
    // Signed 32 bits there.
    ...(sampling.seed !== null && { seed: sampling.seed | 0 }),
    ...(sampling.presencePenalty !== null && { presencePenalty: sampling.presencePenalty }),
    ...(sampling.frequencyPenalty !== null && { frequencyPenalty: sampling.frequencyPenalty }),
    ...(stop.length > 0 && { stopSequences: stop }),
    ...(request.choices > 1 && { candidateCount: request.choices }),
    ...(responseFormat.type !== "text" && { responseMimeType: "application/json" }),
    ...(responseFormat.type === "json-schema" && schemaField(responseFormat.schema)),
    ...(reasoning !== undefined && thinkingOf(reasoning, levelled)),
  };
}

/** The narrower wire where it says all, as every model knows it; the full one where it would lose a rule. */
function schemaField(sent: Readonly<Record<string, unknown>>): Body {
  const { schema, lost } = geminiSchema(sent);
  return lost.length === 0 ? { responseSchema: schema } : { responseJsonSchema: sent };
}

function thinkingOf(wish: ReasoningWish, levelled: boolean): Body {
  const { effort, budgetTokens, summary } = wish;
  const word = effortWord(wish);
  const amount =
    budgetTokens !== null && !levelled
      ? { thinkingBudget: budgetTokens }
      : word === null
        ? {}
        : levelled
          ? { thinkingLevel: levels[word] }
          : { thinkingBudget: budgets[word] };
  const includeThoughts = effort !== "none" && (summary !== null || effort !== null || budgetTokens !== null);
  return { thinkingConfig: { ...amount, ...(includeThoughts && { includeThoughts }) } };
}

function toolFields({ toolChoice }: ChatRequest, tools: readonly NamedTool[]): Body {
  if (tools.length === 0) return {};
  const functionDeclarations = tools.map(({ tool, wireName }) => ({
    name: wireName,
    ...(tool.description !== null && { description: tool.description }),
    ...parametersOf(tool),
  }));
  const config =
    toolChoice.type === "named"
      ? { mode: "ANY", allowedFunctionNames: [wireNameOf(toolChoice, tools)] }
      : toolChoice.type === "required"
        ? { mode: "ANY" }
        : toolChoice.type === "none"
          ? { mode: "NONE" }
          : null;
  return {
    tools: [{ functionDeclarations }],
    ...(config !== null && { toolConfig: { functionCallingConfig: config } }),
  };
}

/** A function without parameters has none at all: an object without properties is refused. */
function parametersOf(tool: ToolDefinition): Body {
  const sent = tool.custom === undefined ? tool.parameters : freeTextParameters;
  if (sent === null || !isWireObject(sent.properties) || Object.keys(sent.properties).length === 0) {
    return sent === null || sent.$ref === undefined ? {} : { parameters: geminiSchema(sent).schema };
  }
  return { parameters: geminiSchema(sent).schema };
}

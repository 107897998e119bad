/**
 * `ChatRequest` → the body of a Responses call. Pure; imports the domain only.
 *
 * The upstream is never asked to remember anything (`store: false`): the conversation goes along whole, whoever answered before,
 * and reasoning goes along encrypted. A body of this wire shape goes as it came but for that, the model, the bound of the answer
 * and fields of this box alone.
 */
import { isWireObject } from "../usage/figures.ts";
import type { ChatRequest, JsonSchema, ServiceTier } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { samplingLeftOut } from "../called-sampling.ts";
import { sampledBy } from "../openai-reasoning.ts";
import { calledMessages, effortWord } from "../called-messages.ts";
import type { CallFacts, WireCall } from "../called.ts";
import { jsonCall } from "../json-call.ts";
import { inputItems, wireChoice, wireTools } from "./called-items.ts";
import { isMadeHere } from "./response-object.ts";
import { isForeign, responsesId } from "./signature.ts";

const encryptedReasoning = "reasoning.encrypted_content";
/** llama.cpp's and vLLM's; and what no Responses API knows. */
const ownFields = ["top_k", "min_p", "repeat_penalty", "seed", "ignore_eos", "cache_prompt", "logit_bias", "stop"];

export function encodeRequest(request: ChatRequest, facts: CallFacts): WireCall {
  refuseWhatItCannotCarry(request, facts);
  const { wire } = request;
  const whole = (body: Body) =>
    jsonCall("/responses", request, { ...body, stream: request.stream, ...facts.extraBody });
  if (wire?.dialect === responsesId) return whole(passedBody(wire.body, facts));
  const body = ownBody(request, facts);
  return { ...whole(body), leftOut: samplingLeftOut(request, body) };
}

function refuseWhatItCannotCarry(request: ChatRequest, { traits }: CallFacts): void {
  const refuse = (what: string, param: string) => {
    throw new Failure("unsupported", `${what} cannot be asked of this upstream.`, { param });
  };
  if (request.choices > 1) refuse("Several answers to one request", "n");
  if (traits.extendedSampling === true) return;
  if (request.stop.length > 0) refuse("A text that ends the answer", "stop");
  if (request.sampling.logitBias.size > 0) refuse("A bias on tokens", "logit_bias");
}

type Body = Readonly<Record<string, unknown>>;

function passedBody(sent: Body, { model, maxTokens, traits }: CallFacts): Body {
  const { previous_response_id: _resolved, ...body } = sent;
  // Kept answers hold reasoning that only an upstream that remembers could read; and what other models thought is none of its.
  const keptHere = sent.store === true || typeof sent.previous_response_id === "string";
  const input = Array.isArray(body.input) ? body.input.filter((item) => isReadable(item, keptHere)) : body.input;
  const reasons = typeof body.reasoning === "object" && body.reasoning !== null;
  const include = Array.isArray(body.include) ? body.include : [];
  const left = traits.extendedSampling === true ? [] : ownFields;
  return {
    ...Object.fromEntries(Object.entries(body).filter(([field]) => !left.includes(field))),
    model,
    input,
    store: false,
    ...(reasons && !include.includes(encryptedReasoning) ? { include: [...include, encryptedReasoning] } : {}),
    ...(maxTokens === null ? {} : { max_output_tokens: maxTokens }),
  };
}

function isReadable(item: unknown, keptHere: boolean): boolean {
  if (typeof item !== "object" || item === null || !("type" in item) || item.type !== "reasoning") return true;
  const encrypted = "encrypted_content" in item ? item.encrypted_content : null;
  if (isForeign(encrypted)) return false;
  if (typeof encrypted === "string" && encrypted !== "") return true;
  return !keptHere && !("id" in item && isMadeHere(item.id));
}

const tiers: Readonly<Partial<Record<ServiceTier, string>>> = Object.freeze({
  standard: "default",
  flex: "flex",
  priority: "priority",
});

function ownBody(request: ChatRequest, { model, maxTokens, traits }: CallFacts): Body {
  const { tools, reasoning, logprobs } = request;
  const sampling = sampledBy(model, request);
  const bound = maxTokens ?? request.maxTokens;
  const tier = request.serviceTier === undefined ? undefined : tiers[request.serviceTier];
  const include = [
    ...(reasoning === undefined ? [] : [encryptedReasoning]),
    ...(logprobs === null ? [] : ["message.output_text.logprobs"]),
  ];
  return {
    model,
    input: inputItems(calledMessages(request), tools, traits),
    store: false,
    ...(include.length === 0 ? {} : { include }),
    ...(bound === null ? {} : { max_output_tokens: bound }),
    ...(sampling.temperature === null ? {} : { temperature: sampling.temperature }),
    ...(sampling.topP === null ? {} : { top_p: sampling.topP }),
    ...(traits.extendedSampling === true ? extendedSampling(request) : {}),
    ...(logprobs === null ? {} : { top_logprobs: logprobs.top }),
    ...(tools.length === 0
      ? {}
      : {
          tools: wireTools(tools),
          tool_choice: wireChoice(request.toolChoice, tools),
          parallel_tool_calls: request.parallelToolCalls,
        }),
    ...textFormat(request),
    ...(reasoning === undefined
      ? {}
      : { reasoning: { effort: effortWord(reasoning), summary: reasoning.summary ?? "auto" } }),
    ...(request.cacheKey === null ? {} : { prompt_cache_key: request.cacheKey }),
    ...(request.endUser === undefined ? {} : { safety_identifier: request.endUser }),
    ...(tier === undefined ? {} : { service_tier: tier }),
  };
}

function extendedSampling({ sampling, stop }: ChatRequest): Body {
  const fields = {
    top_k: sampling.topK,
    min_p: sampling.minP,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    repeat_penalty: sampling.repeatPenalty,
    logit_bias: sampling.logitBias.size === 0 ? null : Object.fromEntries(sampling.logitBias),
    stop: stop.length === 0 ? null : stop,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function textFormat({ responseFormat }: ChatRequest): Body {
  if (responseFormat.type === "text") return {};
  if (responseFormat.type === "json-object") return { text: { format: { type: "json_object" } } };
  const { schema } = responseFormat;
  return { text: { format: { type: "json_schema", name: "answer", schema, strict: isStrict(schema) } } };
}

/** Strict mode takes closed objects only, all of whose properties are required. */
function isStrict(schema: JsonSchema): boolean {
  return Object.entries(schema).every(([keyword, value]) => {
    if (keyword === "properties" && isWireObject(value)) {
      const required = Array.isArray(schema.required) ? schema.required : [];
      const isClosed = schema.additionalProperties === false;
      return (
        isClosed && Object.entries(value).every(([name, inner]) => required.includes(name) && strictOrPlain(inner))
      );
    }
    if (keyword === "$defs" || keyword === "definitions")
      return isWireObject(value) && Object.values(value).every(strictOrPlain);
    if (keyword === "items") return strictOrPlain(value);
    if (keyword === "anyOf") return Array.isArray(value) && value.every(strictOrPlain);
    return keyword !== "oneOf" && keyword !== "allOf" && keyword !== "patternProperties";
  });
}

function strictOrPlain(value: unknown): boolean {
  return !isWireObject(value) || isStrict(value);
}

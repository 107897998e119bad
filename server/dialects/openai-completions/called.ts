/**
 * OpenAI's completions wire, called: for raw prompts and for filling in before a suffix, where an upstream has that beside its
 * chat (`traits.completions`). Pure; imports the domain only.
 *
 * It is a `CalledDialect` in all but the list of models, which the chat beside it has. A chat cannot be sent this way.
 */
import { calledSampling } from "../called-sampling.ts";
import type { ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { CalledDialect, CallFacts } from "../called.ts";
import { jsonCall } from "../json-call.ts";
import { decodeFailure } from "../openai-chat/called-failure.ts";
import { isWireObject } from "../usage/figures.ts";
import { completionDecoder } from "./answer-decoder.ts";

type Body = Record<string, unknown>;

/** OpenAI's own bound; llama.cpp and vLLM have none. */
const mostStops = 4;
/** What llama.cpp, vLLM and this box understand and OpenAI refuses. */
const extendedFields = ["cache_prompt", "ignore_eos", "top_k", "min_p", "repeat_penalty"] as const;

export const calledOpenaiCompletions: CalledDialect = Object.freeze<CalledDialect>({
  id: "openai-completions",
  encodeRequest: (request, facts) => jsonCall("/completions", request, callBody(request, facts)),
  decoder: completionDecoder,
  decodeFailure,
  models: null,
});

function callBody(request: ChatRequest, facts: CallFacts): Body {
  const own = request.wire?.dialect === "openai-completions" ? request.wire.body : null;
  const body = own === null ? translated(request, facts) : passed(own, request, facts);
  return { ...body, ...facts.extraBody };
}

/** As it came, but for the model, the bound of the answer, that usage is streamed, and fields of boxes like this one. */
function passed(sent: Readonly<Body>, request: ChatRequest, { model, maxTokens, traits }: CallFacts): Body {
  const body: Body = { ...sent, model };
  if (maxTokens !== null) body.max_tokens = maxTokens;
  delete body.stream_options;
  if (request.stream && traits.noStreamOptions !== true) {
    const options = isWireObject(sent.stream_options) ? sent.stream_options : {};
    body.stream_options = { ...options, include_usage: true };
  }
  if (traits.extendedSampling !== true) for (const field of extendedFields) delete body[field];
  return body;
}

function translated(request: ChatRequest, { model, maxTokens, traits }: CallFacts): Body {
  const { completion, stop, responseFormat } = request;
  if (completion === null) throw refused("messages", "A conversation cannot be sent on as a raw prompt");
  if (responseFormat.type !== "text") throw refused("format", "No format can be asked of a raw prompt");
  if (stop.length > mostStops && traits.extendedSampling !== true) {
    throw refused("stop", `More than ${mostStops} stop strings cannot be sent on`);
  }
  const { prompts, suffix, echo } = completion;
  return {
    model,
    prompt: prompts.length === 1 ? prompts[0] : prompts,
    ...(suffix !== null && { suffix }),
    ...(echo && { echo }),
    ...(maxTokens !== null && { max_tokens: maxTokens }),
    ...calledSampling(request, { model, traits }),
    ...(stop.length > 0 && { stop }),
    ...(request.choices > 1 && { n: request.choices }),
    ...(request.logprobs !== null && { logprobs: request.logprobs.top }),
    ...(request.endUser !== undefined && { user: request.endUser }),
    ...(request.stream && { stream: true }),
    ...(request.stream && traits.noStreamOptions !== true && { stream_options: { include_usage: true } }),
  };
}

function refused(param: string, what: string): Failure {
  return new Failure("unsupported", `${what} to this upstream.`, { param });
}

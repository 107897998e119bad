/** OpenAI's chat wire, called: what most providers and every other box speak. Pure; one line in `server/dialects/index.ts`. */
import type { CalledDialect } from "../called.ts";
import { samplingLeftOut } from "../called-sampling.ts";
import { jsonCall } from "../json-call.ts";
import { at } from "../usage/figures.ts";
import { answerDecoder } from "./answer-decoder.ts";
import { callBody } from "./call-body.ts";
import { decodeFailure } from "./called-failure.ts";

export const calledOpenaiChat: CalledDialect = Object.freeze({
  id: "openai-chat",
  encodeRequest(request, facts) {
    const body = callBody(request, facts);
    return { ...jsonCall("/chat/completions", request, body), leftOut: samplingLeftOut(request, body) };
  },
  decoder: answerDecoder,
  decodeFailure,
  models: { path: "/models", ids: modelIds },
} satisfies CalledDialect);

/** `{ data: [{ id }] }`; Together answers with the list itself. */
function modelIds(body: unknown): readonly string[] {
  const list = at(body, "data") ?? body;
  if (!Array.isArray(list)) return [];
  return list.map((model) => at(model, "id")).filter((id) => typeof id === "string");
}

/** Gemini's wire, called only. Pure; one line in `server/dialects/index.ts` registers it. */
import type { CalledDialect } from "../called.ts";
import { at } from "../usage/figures.ts";
import { answerDecoder } from "./answer-decoder.ts";
import { callBody } from "./call-body.ts";
import { decodeFailure } from "./failure.ts";

export const calledGemini: CalledDialect = Object.freeze({
  id: "gemini",
  encodeRequest: (request, facts) => ({
    path: `/${resourceOf(facts.model)}:${request.stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(callBody(request, facts)),
  }),
  decoder: answerDecoder,
  decodeFailure,
  models: { path: "/models?pageSize=1000", ids: modelIds },
} satisfies CalledDialect);

/** `tunedModels/x` is named in full; a bare name is one of `models/`. */
function resourceOf(model: string): string {
  const path = model.includes("/") ? model : `models/${model}`;
  return path.split("/").map(encodeURIComponent).join("/");
}

/** `{ models: [{ name: "models/x", supportedGenerationMethods }] }`: those that can chat. */
function modelIds(body: unknown): readonly string[] {
  const list = at(body, "models");
  if (!Array.isArray(list)) return [];
  return list.flatMap((model) => {
    const name = at(model, "name");
    const methods = at(model, "supportedGenerationMethods");
    const chats = !Array.isArray(methods) || methods.includes("generateContent");
    return typeof name === "string" && chats ? [name.replace(/^models\//, "")] : [];
  });
}

/** The Gemini wire as a vendor speaks it. Written from the documented format. */
import { frame, type Reply, type VendorWire } from "../wire.ts";

const finishWords = { stop: "STOP", length: "MAX_TOKENS", "tool-calls": "STOP", "content-filter": "SAFETY" } as const;

const statusWords: Readonly<Record<number, string>> = Object.freeze({
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
});

/** Its answer count leaves out the thoughts. */
function usageOf({ usage }: Reply): object | null {
  if (usage === null) return null;
  return {
    promptTokenCount: usage.prompt,
    cachedContentTokenCount: usage.cached,
    candidatesTokenCount: usage.completion - usage.reasoning,
    thoughtsTokenCount: usage.reasoning,
    totalTokenCount: usage.prompt + usage.completion,
  };
}

function chunkOf(reply: Reply, parts: readonly object[], finish: string | null): object {
  const usage = usageOf(reply);
  return {
    candidates: [{ content: { parts, role: "model" }, index: 0, ...(finish === null ? {} : { finishReason: finish }) }],
    ...(usage === null ? {} : { usageMetadata: usage }),
    modelVersion: reply.model,
    responseId: reply.id,
  };
}

function callParts(reply: Reply): readonly object[] {
  return reply.calls.map((call) => ({
    functionCall: { name: call.name, args: JSON.parse(call.arguments || "{}") as unknown },
    thoughtSignature: "c3RhbmQtaW4=",
  }));
}

export const geminiWire: VendorWire = {
  name: "gemini",
  basePath: "/v1beta",
  contentType: "text/event-stream",
  terminator: "",
  requestIdHeader: "x-request-id",
  keyOf: (headers) => headers["x-goog-api-key"] ?? null,
  rateHeaders: () => ({}),
  failure: (status, code, _type, message) => ({
    error: { code: status, message, status: statusWords[status] ?? code ?? "UNKNOWN", details: [] },
  }),
  errorFrame: (message) => frame({ error: { code: 503, message, status: "UNAVAILABLE" } }),
  models: (ids) => ({
    models: ids.map((id) => ({ name: `models/${id}`, supportedGenerationMethods: ["generateContent"] })),
  }),
  asks: (path) => {
    const [, model = "", method] = /^\/models\/(.+):(streamGenerateContent|generateContent)$/.exec(path) ?? [];
    return method === undefined ? null : { model, stream: method === "streamGenerateContent" };
  },
  promptOf: (body) => [body.systemInstruction ?? null, body.contents, body.tools ?? null],
  frames: (reply) => {
    const texts = [
      ...reply.reasoningPieces.map((text) => ({ text, thought: true })),
      ...reply.textPieces.map((text) => ({ text })),
      ...callParts(reply),
    ];
    return [
      ...texts.map((part) => frame(chunkOf(reply, [part], null))),
      frame(chunkOf(reply, [{ text: "" }], finishWords[reply.finish])),
    ];
  },
  whole: (reply) =>
    chunkOf(
      reply,
      [
        ...(reply.reasoningPieces.length > 0 ? [{ text: reply.reasoningPieces.join(""), thought: true }] : []),
        ...(reply.textPieces.length > 0 ? [{ text: reply.textPieces.join("") }] : []),
        ...callParts(reply),
      ],
      finishWords[reply.finish],
    ),
};

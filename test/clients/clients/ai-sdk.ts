/** Vercel's AI SDK with its provider for OpenAI-compatible servers. */
import type { Ask, OneTool, Said, SdkClient, SdkDriver } from "../client.ts";

/** What is used of the packages, whose types are not installed here. */
interface AiModule {
  generateText(options: object): Promise<Generated>;
  streamText(options: object): { readonly fullStream: AsyncIterable<Part> };
  tool(definition: object): object;
  jsonSchema(schema: object): object;
  isStepCount(steps: number): unknown;
  readonly Output: { json(): object; object(options: object): object };
}
interface Usage {
  readonly inputTokens?: number;
  readonly inputTokenDetails?: { readonly cacheReadTokens?: number };
}
interface Generated {
  readonly text: string;
  readonly finishReason: string;
  readonly usage: Usage;
  readonly output: unknown;
}
type Part =
  | { readonly type: "text-delta"; readonly text: string }
  | { readonly type: "error"; readonly error: unknown }
  | { readonly type: "abort"; readonly reason?: unknown }
  | { readonly type: "finish"; readonly finishReason: string; readonly totalUsage: Usage };
interface ProviderModule {
  createOpenAICompatible(options: object): (model: string) => object;
}

export const aiSdk: SdkClient = {
  kind: "sdk",
  id: "ai-sdk",
  package: "ai",
  errors: {
    unauthorised: { name: "AI_APICallError", status: 401 },
    limited: { name: "AI_APICallError", status: 429 },
    internal: { name: "AI_APICallError", status: 500 },
    overflow: { name: "AI_APICallError", status: 400 },
    midStream: { name: "AI_StreamProviderError", status: null },
    aborted: { name: "AbortError", status: null },
    abortedStream: null,
  },
  async connect(load, { baseUrl, apiKey, retries }) {
    const ai = (await load("ai")) as AiModule;
    const { createOpenAICompatible } = (await load("@ai-sdk/openai-compatible")) as ProviderModule;
    const settings = { name: "lanthorn", baseURL: baseUrl, apiKey, includeUsage: true };
    return driverOf(ai, retries, {
      plain: createOpenAICompatible(settings),
      strict: createOpenAICompatible({ ...settings, supportsStructuredOutputs: true }),
    });
  },
};

type Providers = Record<"plain" | "strict", (model: string) => object>;

function driverOf(ai: AiModule, retries: number, providers: Providers): SdkDriver {
  const asked = ({ model, prompt, signal }: Ask, provider: keyof Providers = "plain") => ({
    model: providers[provider](model),
    prompt,
    maxRetries: retries,
    ...(signal === undefined ? {} : { abortSignal: signal }),
  });
  const objectOf = (property: string) =>
    ai.jsonSchema({
      type: "object",
      properties: { [property]: { type: "string" } },
      required: [property],
      additionalProperties: false,
    });
  return {
    async whole(ask) {
      const { text, finishReason, usage } = await ai.generateText(asked(ask));
      return { text, finish: finishReason, ...counts(usage) };
    },
    async streamed(ask, heard) {
      // Errors are parts of the stream; the SDK would also print them.
      const { fullStream } = ai.streamText({ ...asked(ask), onError: () => {} });
      let text = "";
      let said: Omit<Said, "text"> = { finish: "", promptTokens: null, cachedTokens: null };
      for await (const part of fullStream) {
        if (part.type === "error") throw part.error;
        if (part.type === "finish") said = { finish: part.finishReason, ...counts(part.totalUsage) };
        if (part.type !== "text-delta") continue;
        heard(part.text);
        text += part.text;
      }
      return { text, ...said };
    },
    async withTool(ask, tool: OneTool) {
      const execute = (given: Record<string, string>) => tool.run(given[tool.argument] ?? "");
      const tools = {
        [tool.name]: ai.tool({ description: "A tool.", inputSchema: objectOf(tool.argument), execute }),
      };
      return (await ai.generateText({ ...asked(ask), tools, stopWhen: ai.isStepCount(4) })).text;
    },
    json: async (ask) => (await ai.generateText({ ...asked(ask), output: ai.Output.json() })).output,
    schema: async (ask, property) => {
      const output = ai.Output.object({ schema: objectOf(property) });
      return (await ai.generateText({ ...asked(ask, "strict"), output })).output;
    },
  };
}

function counts(usage: Usage): Pick<Said, "promptTokens" | "cachedTokens"> {
  return { promptTokens: usage.inputTokens ?? null, cachedTokens: usage.inputTokenDetails?.cacheReadTokens ?? null };
}

/** The official OpenAI SDK for JavaScript, in two major versions that are asked in the same words. */
import type OpenAI from "openai";
import type { Ask, Said, SdkClient, SdkDriver } from "../client.ts";

/** Both versions have the surface of the one whose types are here. */
type OpenAiModule = { readonly default: typeof OpenAI };

export function openAi(id: string, specifier: string): SdkClient {
  return {
    kind: "sdk",
    id,
    package: specifier,
    errors: {
      unauthorised: { name: "AuthenticationError", status: 401 },
      limited: { name: "RateLimitError", status: 429 },
      internal: { name: "InternalServerError", status: 500 },
      overflow: { name: "BadRequestError", status: 400 },
      midStream: { name: "APIError", status: null },
      aborted: { name: "APIUserAbortError", status: null },
      abortedStream: null,
    },
    async connect(load, { baseUrl, apiKey, retries }) {
      const { default: Client } = (await load(specifier)) as OpenAiModule;
      return driverOf(new Client({ baseURL: baseUrl, apiKey, maxRetries: retries }));
    },
  };
}

const body = ({ model, prompt }: Ask) => ({ model, messages: [{ role: "user" as const, content: prompt }] });
const options = ({ signal }: Ask) => (signal === undefined ? {} : { signal });

function driverOf(client: OpenAI): SdkDriver {
  return {
    async whole(ask) {
      return saidOf(await client.chat.completions.create(body(ask), options(ask)));
    },
    async streamed(ask, heard) {
      const stream = await client.chat.completions.create(
        { ...body(ask), stream: true, stream_options: { include_usage: true } },
        options(ask),
      );
      let text = "";
      let finish = "";
      let usage: OpenAI.CompletionUsage | null = null;
      for await (const chunk of stream) {
        const [choice] = chunk.choices;
        const piece = choice?.delta.content ?? "";
        if (piece !== "") heard(piece);
        text += piece;
        finish = choice?.finish_reason ?? finish;
        usage = chunk.usage ?? usage;
      }
      return { text, finish, ...counts(usage) };
    },
    async withTool(ask, tool) {
      const runner = client.chat.completions.runTools({
        ...body(ask),
        stream: true,
        tools: [
          {
            type: "function",
            function: {
              name: tool.name,
              description: "A tool.",
              parameters: {
                type: "object",
                properties: { [tool.argument]: { type: "string" } },
                required: [tool.argument],
              },
              parse: (text: string) => JSON.parse(text) as Record<string, string>,
              function: (given: Record<string, string>) => tool.run(given[tool.argument] ?? ""),
            },
          },
        ],
      });
      return (await runner.finalContent()) ?? "";
    },
    async json(ask) {
      const answer = await client.chat.completions.create({ ...body(ask), response_format: { type: "json_object" } });
      return JSON.parse(answer.choices[0]?.message.content ?? "");
    },
    async schema(ask, property) {
      const schema = {
        type: "object",
        properties: { [property]: { type: "string" } },
        required: [property],
        additionalProperties: false,
      };
      const answer = await client.chat.completions.parse({
        ...body(ask),
        response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
      });
      return answer.choices[0]?.message.parsed;
    },
  };
}

function saidOf(answer: OpenAI.ChatCompletion): Said {
  const [choice] = answer.choices;
  return { text: choice?.message.content ?? "", finish: choice?.finish_reason ?? "", ...counts(answer.usage ?? null) };
}

function counts(usage: OpenAI.CompletionUsage | null): Pick<Said, "promptTokens" | "cachedTokens"> {
  return {
    promptTokens: usage?.prompt_tokens ?? null,
    cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? null,
  };
}

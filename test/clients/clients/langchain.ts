/** LangChain's ChatOpenAI. It retries by itself and tells errors by the OpenAI SDK's classes, or its own for a full context. */
import type { Ask, Said, SdkClient, SdkDriver } from "../client.ts";

/** What is used of the packages, whose types are not installed here. */
interface Message {
  readonly text: string;
  readonly response_metadata: { readonly finish_reason?: string };
  readonly usage_metadata?: {
    readonly input_tokens: number;
    readonly input_token_details?: { readonly cache_read?: number };
  };
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly name: string;
    readonly args: Record<string, string>;
  }[];
  concat(next: Message): Message;
}
interface Runnable<Answer> {
  invoke(input: unknown, options?: object): Promise<Answer>;
}
interface Chat extends Runnable<Message> {
  stream(input: unknown, options?: object): Promise<AsyncIterable<Message>>;
  bindTools(tools: readonly object[]): Runnable<Message>;
  withStructuredOutput(schema: object, options: object): Runnable<unknown>;
}
interface ChatModule {
  readonly ChatOpenAI: new (settings: object) => Chat;
}
interface MessageModule {
  readonly HumanMessage: new (text: string) => object;
  readonly ToolMessage: new (fields: object) => object;
}

export const langChain: SdkClient = {
  kind: "sdk",
  id: "langchain",
  package: "@langchain/openai",
  errors: {
    unauthorised: { name: "AuthenticationError", status: 401 },
    limited: { name: "RateLimitError", status: 429 },
    internal: { name: "InternalServerError", status: 500 },
    overflow: { name: "ContextOverflowError", status: null },
    midStream: { name: "APIError", status: null },
    aborted: { name: "AbortError", status: null },
    abortedStream: { name: "AbortError", status: null },
  },
  async connect(load, { baseUrl, apiKey, retries }) {
    const { ChatOpenAI } = (await load("@langchain/openai")) as ChatModule;
    const messages = (await load("@langchain/core/messages")) as MessageModule;
    const chat = (model: string) =>
      new ChatOpenAI({ model, apiKey, maxRetries: retries, configuration: { baseURL: baseUrl } });
    return driverOf(chat, messages);
  },
};

function driverOf(chat: (model: string) => Chat, { HumanMessage, ToolMessage }: MessageModule): SdkDriver {
  const options = ({ signal }: Ask) => (signal === undefined ? {} : { signal });
  const objectOf = (property: string) => ({
    title: "answer",
    type: "object",
    properties: { [property]: { type: "string" } },
    required: [property],
    additionalProperties: false,
  });
  return {
    whole: async (ask) => saidOf(await chat(ask.model).invoke(ask.prompt, options(ask))),
    async streamed(ask, heard) {
      let all: Message | null = null;
      for await (const piece of await chat(ask.model).stream(ask.prompt, options(ask))) {
        if (piece.text !== "") heard(piece.text);
        all = all === null ? piece : all.concat(piece);
      }
      return all === null ? { text: "", finish: "", promptTokens: null, cachedTokens: null } : saidOf(all);
    },
    async withTool(ask, tool) {
      const definition = {
        type: "function",
        function: { name: tool.name, description: "A tool.", parameters: objectOf(tool.argument) },
      };
      const model = chat(ask.model).bindTools([definition]);
      const messages: object[] = [new HumanMessage(ask.prompt)];
      for (;;) {
        const answer = await model.invoke(messages);
        const calls = answer.tool_calls ?? [];
        if (calls.length === 0) return answer.text;
        messages.push(answer);
        for (const call of calls) {
          const content = tool.run(call.args[tool.argument] ?? "");
          messages.push(new ToolMessage({ content, tool_call_id: call.id }));
        }
      }
    },
    json: (ask) => chat(ask.model).withStructuredOutput(objectOf("lamp"), { method: "jsonMode" }).invoke(ask.prompt),
    schema: (ask, property) =>
      chat(ask.model)
        .withStructuredOutput(objectOf(property), { method: "jsonSchema", strict: true })
        .invoke(ask.prompt),
  };
}

function saidOf(message: Message): Said {
  return {
    text: message.text,
    finish: message.response_metadata.finish_reason ?? "",
    promptTokens: message.usage_metadata?.input_tokens ?? null,
    cachedTokens: message.usage_metadata?.input_token_details?.cache_read ?? null,
  };
}

/**
 * What an OpenAI chat request may look like, as a zod schema. Pure; runs in the server process; imports no other room.
 *
 * Tolerant where real agents need it (unknown fields, `null` for "not given", content in every form) and strict where
 * being tolerant would mean silently doing something else than asked. Meaning is judged in `decode.ts`.
 */
import { z } from "zod";
import { listOf } from "../list-of.ts";
import { mostAnswers, samplingFields } from "../openai-sampling.ts";

/** Anthropic's mark, which OpenRouter and agents made for both carry in OpenAI's bodies. */
const cacheControl = z.object({ type: z.string().nullish(), ttl: z.string().nullish() });
export type WireCacheControl = z.infer<typeof cacheControl>;
const cacheable = { cache_control: cacheControl.nullish().catch(null) };

const knownParts: readonly string[] = ["text", "refusal", "image_url", "file"];

/**
 * A part of a message's content. Every type is let through here, so that `decode.ts` can name the part it cannot serve
 * instead of saying "invalid union".
 */
const contentPart = z.union(
  [
    z.object({ type: z.literal("text"), text: z.string(), ...cacheable }),
    z.object({ type: z.literal("refusal"), refusal: z.string() }),
    z.object({
      type: z.literal("image_url"),
      /** The bare address is what some older clients send. */
      image_url: z.union([z.string(), z.object({ url: z.string(), detail: z.string().nullish() })]),
      ...cacheable,
    }),
    z.object({
      type: z.literal("file"),
      file: z.object({
        file_data: z.string().nullish(),
        file_id: z.string().nullish(),
        filename: z.string().nullish(),
      }),
      ...cacheable,
    }),
    z.object({ type: z.string().refine((type) => !knownParts.includes(type), { abort: true }) }),
  ],
  { error: "must be a content part: an object with a type" },
);
export type WirePart = z.infer<typeof contentPart>;

const content = z.union([z.string(), z.null(), listOf(contentPart)], {
  error: "must be text, null or a list of content parts",
});
export type WireContent = z.infer<typeof content>;

const toolCall = z.object({
  id: z.string().min(1),
  type: z.literal("function").nullish(),
  function: z.object({
    name: z.string().min(1),
    /** JSON text. Some clients send the object itself: taken as its compact text. */
    arguments: z.union([z.string(), z.record(z.string(), z.unknown())], { error: "must be JSON text" }),
  }),
  /** Where Google's own OpenAI wire keeps a call's signature; clients that know it send it back. */
  extra_content: z
    .object({ google: z.object({ thought_signature: z.string() }) })
    .nullish()
    .catch(null),
});
export type WireToolCall = z.infer<typeof toolCall>;

const message = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.literal("system"), content }),
    z.object({ role: z.literal("developer"), content }),
    z.object({ role: z.literal("user"), content }),
    z.object({
      role: z.literal("assistant"),
      content: content.optional(),
      /** What opencode, Cline and Qwen Code echo; `reasoning` is the other spelling in use. Taken when it is text. */
      reasoning_content: z.string().nullish(),
      reasoning: z.string().nullish(),
      reasoning_details: z.array(z.unknown()).nullish().catch(null),
      refusal: z.string().nullish(),
      tool_calls: listOf(toolCall).nullish(),
    }),
    z.object({ role: z.literal("tool"), tool_call_id: z.string().min(1), content }),
  ],
  { error: "must be a message with the role system, developer, user, assistant or tool" },
);
export type WireMessage = z.infer<typeof message>;

const functionTool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
  ...cacheable,
});
/** Tool types only a vendor can run (`web_search`, `custom` …): agents send them to everybody, so they are dropped. */
const vendorTool = z.object({ type: z.string().refine((type) => type !== "function", { abort: true }) });
const tool = z.union([functionTool, vendorTool], { error: "must be a tool: an object with a type" });

const toolChoice = z.union(
  [
    z.enum(["auto", "none", "required"]),
    z.object({ type: z.enum(["auto", "none", "required"]) }),
    z.object({ type: z.literal("function"), function: z.object({ name: z.string().min(1) }) }),
  ],
  { error: 'must be "auto", "none", "required" or name a function' },
);

const responseFormat = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    /** `schema` here is an extension of llama.cpp; it is enforced like the one of `json_schema`. */
    z.object({ type: z.literal("json_object"), schema: z.record(z.string(), z.unknown()).nullish() }),
    z.object({
      type: z.literal("json_schema"),
      /** `name` and `strict` change nothing here: a schema is always enforced, or refused. */
      json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
    }),
  ],
  { error: 'must be an object with the type "text", "json_object" or "json_schema"' },
);

export const chatBody = z.object({
  model: z.string().min(1),
  messages: listOf(message, 1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),

  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  n: z.int().min(1).max(mostAnswers).nullish(),
  ...samplingFields,

  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),

  tools: listOf(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  prompt_cache_key: z.string().nullish(),
  response_format: responseFormat.nullish(),

  /** Words we do not know are left to upstreams of this dialect: they get the body as it came. */
  reasoning_effort: z.string().nullish(),
  reasoning: z.object({ effort: z.string().nullish(), max_tokens: z.int().min(0).nullish() }).nullish(),
  service_tier: z.string().nullish(),
  user: z.string().nullish(),

  /** Asked for things we cannot make; read only to be refused when they ask for anything. */
  modalities: z.array(z.string()).nullish(),
  functions: z.array(z.unknown()).nullish(),
});
export type WireChatBody = z.infer<typeof chatBody>;

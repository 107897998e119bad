/**
 * What Ollama's chat and generate bodies may look like, as zod schemas. Pure; runs in the server process; imports no other room.
 * Tolerant where clients need it (unknown fields, `null` for "not given"); meaning is judged in the decoders.
 */
import { z } from "zod";
import { listOf } from "../list-of.ts";
import { ollamaOptions } from "./options.ts";

const textPart = z.object({ type: z.literal("text"), text: z.string() });
/** Ollama takes text only; lists of text parts are what OpenAI-minded clients send here as well. */
const content = z.union([z.string(), z.null(), listOf(textPart)], {
  error: "must be text (images go into 'images')",
});

const toolCall = z.object({
  id: z.string().nullish(),
  function: z.object({
    name: z.string().min(1),
    /** An object; some clients send it as JSON text. */
    arguments: z.union([z.record(z.string(), z.unknown()), z.string()], { error: "must be an object" }).nullish(),
  }),
});
export type WireToolCall = z.infer<typeof toolCall>;

const said = { content: content.optional(), images: listOf(z.string()).nullish() };

const message = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.literal("system"), ...said }),
    z.object({ role: z.literal("user"), ...said }),
    z.object({
      role: z.literal("assistant"),
      ...said,
      thinking: z.string().nullish(),
      tool_calls: listOf(toolCall).nullish(),
    }),
    z.object({ role: z.literal("tool"), ...said, tool_name: z.string().nullish(), tool_call_id: z.string().nullish() }),
  ],
  { error: "must be a message with the role system, user, assistant or tool" },
);
export type WireMessage = z.infer<typeof message>;
export type WireContent = z.infer<typeof content>;

const functionTool = z.object({
  type: z.literal("function").nullish(),
  function: z.object({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

/** What every inference body of Ollama has. */
const shared = {
  model: z.string().min(1),
  /** Absent: true, unlike everywhere else. */
  stream: z.boolean().nullish(),
  /** `"json"`, a bare schema, or nothing. */
  format: z
    .union([z.literal(["", "json"]), z.record(z.string(), z.unknown())], { error: 'must be "json" or a JSON schema' })
    .nullish(),
  think: z
    .union([z.boolean(), z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"])], {
      error: "must be true, false or how hard: low, medium or high",
    })
    .nullish(),
  /** Seconds, or a duration (`5m`, `-1s`). */
  keep_alive: z
    .union(
      [
        z.number(),
        z
          .string()
          .max(100)
          .regex(/^-?(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)$/),
      ],
      {
        error: 'must be seconds or a duration such as "5m"',
      },
    )
    .nullish(),
  options: ollamaOptions.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
};
export type WireShared = z.infer<z.ZodObject<typeof shared>>;

export const chatBody = z.object({
  ...shared,
  /** None, or an empty list: the model is to be loaded. */
  messages: listOf(message).nullish(),
  tools: listOf(functionTool).nullish(),
});
export type WireChatBody = z.infer<typeof chatBody>;

export const generateBody = z.object({
  ...shared,
  /** None, or an empty text: the model is to be loaded. */
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  images: listOf(z.string()).nullish(),
  raw: z.boolean().nullish(),
  /** Read only to be refused when they ask for anything. */
  template: z.string().nullish(),
  context: listOf(z.number()).nullish(),
});
export type WireGenerateBody = z.infer<typeof generateBody>;

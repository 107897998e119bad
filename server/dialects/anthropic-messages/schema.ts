/**
 * What a body of Anthropic's Messages may look like, as a zod schema. Pure; runs in the server process; imports no other room.
 *
 * Tolerant where real agents need it (unknown fields, unknown kinds of blocks and tools, `null` for "not given") and strict
 * where being tolerant would mean silently doing something else than asked. Meaning is judged in `decode.ts`.
 */
import { z } from "zod";
import { listOf } from "../list-of.ts";

/** Each costs a look at every piece of the answer. */
const mostStopSequences = 16;
/** A stop sequence has to be held back while it may still complete, so it has a bound. */
const longestStopSequence = 1024;

const cacheControl = z.object({ type: z.string(), ttl: z.string().nullish() }).nullish();
export type WireCacheControl = z.infer<typeof cacheControl>;
const marked = { cache_control: cacheControl };

const text = z.object({ type: z.literal("text"), text: z.string(), ...marked });

const source = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("base64"), media_type: z.string().min(1), data: z.string() }),
    z.object({ type: z.literal("url"), url: z.string().min(1) }),
    z.object({ type: z.literal("file"), file_id: z.string().min(1) }),
    z.object({ type: z.literal("text"), data: z.string() }),
    z.object({ type: z.literal("content"), content: z.union([z.string(), listOf(z.unknown())]) }),
  ],
  { error: 'must be a source of the type "base64", "url", "file", "text" or "content"' },
);
export type WireSource = z.infer<typeof source>;

const image = z.object({ type: z.literal("image"), source, ...marked });
const document = z.object({ type: z.literal("document"), source, title: z.string().nullish(), ...marked });
const searchResult = z.object({
  type: z.literal("search_result"),
  title: z.string().nullish(),
  content: listOf(z.object({ text: z.string() })),
  ...marked,
});
const toolReference = z.object({ type: z.literal("tool_reference"), tool_name: z.string() });

/** Kinds that nobody here knows are let through: `decode.ts` says what becomes of them. */
function orAny<Known extends z.ZodType>(known: Known, kinds: readonly string[]) {
  const other = z.object({ type: z.string().refine((type) => !kinds.includes(type), { abort: true }) });
  return z.union([known, other], { error: "must be a content block: an object with a type" });
}

const resultKinds = ["text", "image", "document", "search_result", "tool_reference"];
const resultBlock = orAny(
  z.discriminatedUnion("type", [text, image, document, searchResult, toolReference]),
  resultKinds,
);
export type WireResultBlock = z.infer<typeof resultBlock>;

const toolResult = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string().min(1),
  content: z.union([z.string(), listOf(resultBlock)], { error: "must be text or a list of content blocks" }).nullish(),
  is_error: z.boolean().nullish(),
  ...marked,
});
export type WireToolResult = z.infer<typeof toolResult>;

const toolUse = z.object({
  type: z.literal("tool_use"),
  id: z.string().min(1),
  name: z.string().min(1),
  input: z.unknown().optional(),
  ...marked,
});
const thinking = z.object({
  type: z.literal("thinking"),
  thinking: z.string(),
  /** What a model without signatures thought may come back with none. */
  signature: z.string().nullish(),
});
const redactedThinking = z.object({ type: z.literal("redacted_thinking"), data: z.string() });

const userBlock = orAny(
  z.discriminatedUnion("type", [text, image, document, searchResult, toolReference, toolResult]),
  [...resultKinds, "tool_result"],
);
export type WireUserBlock = z.infer<typeof userBlock>;

const assistantBlock = orAny(z.discriminatedUnion("type", [text, toolUse, thinking, redactedThinking]), [
  "text",
  "tool_use",
  "thinking",
  "redacted_thinking",
]);
export type WireAssistantBlock = z.infer<typeof assistantBlock>;

const contentOf = <Block extends z.ZodType>(block: Block) =>
  z.union([z.string(), listOf(block)], { error: "must be text or a list of content blocks" });
const systemContent = contentOf(text);

const message = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.literal("user"), content: contentOf(userBlock) }),
    z.object({ role: z.literal("assistant"), content: contentOf(assistantBlock) }),
    z.object({ role: z.literal("system"), content: systemContent }),
  ],
  { error: "must be a message with the role user, assistant or system" },
);
export type WireMessage = z.infer<typeof message>;

const ownTool = z.object({
  type: z.literal("custom").nullish(),
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
  ...marked,
});
/** Tools by type (`web_search_…`, `bash_…`): only Anthropic's models know them, and agents send them to everybody. */
const vendorTool = z.object({
  type: z.string().refine((type) => type !== "custom", { abort: true }),
  name: z.string().nullish(),
});
const tool = z.union([ownTool, vendorTool], { error: "must be a tool: an object with a name and an input_schema" });
export type WireTool = z.infer<typeof tool>;

const parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const toolChoice = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("auto"), ...parallel }),
    z.object({ type: z.literal("any"), ...parallel }),
    z.object({ type: z.literal("tool"), name: z.string().min(1), ...parallel }),
    z.object({ type: z.literal("none") }),
  ],
  { error: 'must have the type "auto", "any", "tool" or "none"' },
);
export type WireToolChoice = z.infer<typeof toolChoice>;

const format = z.object({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) });

/** What counting takes too. */
const promptFields = {
  model: z.string().min(1),
  messages: listOf(message, 1),
  system: systemContent.nullish(),
  tools: listOf(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: z
    .discriminatedUnion(
      "type",
      [
        z.object({ type: z.literal("enabled"), budget_tokens: z.int().min(1), display: z.string().nullish() }),
        z.object({ type: z.literal("adaptive"), display: z.string().nullish() }),
        z.object({ type: z.literal("disabled") }),
      ],
      { error: 'must have the type "enabled", "adaptive" or "disabled"' },
    )
    .nullish(),
  output_config: z
    .object({ effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(), format: format.nullish() })
    .nullish(),
};

export const countBody = z.object(promptFields);

export const messagesBody = z.object({
  ...promptFields,
  /** 0 asks a provider to fill its cache. */
  max_tokens: z.int().min(0),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(-1).nullish(),
  stop_sequences: z.array(z.string().max(longestStopSequence)).max(mostStopSequences).nullish(),
  metadata: z.object({ user_id: z.string().nullish() }).nullish(),
  service_tier: z.string().nullish(),
});
export type WireMessagesBody = z.infer<typeof messagesBody>;
export type WireCountBody = z.infer<typeof countBody>;

/**
 * The form of an OpenAI Responses body. Pure. Only form is judged here; meaning (`decode.ts`) comes after.
 *
 * Unknown fields are ignored: agents send `client_metadata`, `include` and more to everyone.
 */
import { z } from "zod";
import { listOf } from "../list-of.ts";
import { samplingFields } from "../openai-sampling.ts";
import { itemList } from "./item-schema.ts";

const functionTool = z.object({
  type: z.literal("function"),
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
const customTool = z.object({
  type: z.literal("custom"),
  name: z.string().min(1),
  description: z.string().nullish(),
  format: z.unknown().optional(),
});
/** Tools only a vendor or the client itself can run: agents send them to everybody, so they are left out, with a note. */
const vendorTool = z.object({
  type: z.string().refine((type) => !["function", "custom", "namespace"].includes(type), { abort: true }),
});
const plainTool = z.union([functionTool, customTool, vendorTool], {
  error: "must be a tool: an object with a type",
});
const namespaceTool = z.object({
  type: z.literal("namespace"),
  name: z.string().min(1),
  description: z.string().nullish(),
  tools: listOf(plainTool),
});
export type WirePlainTool = z.output<typeof plainTool>;
export type WireTool = WirePlainTool | z.output<typeof namespaceTool>;
const tool: z.ZodType<WireTool> = z.union([functionTool, customTool, namespaceTool, vendorTool], {
  error: "must be a tool: an object with a type",
});

const modes = z.enum(["auto", "none", "required"]);
const toolChoice = z.union([modes, z.looseObject({ type: z.string() })], {
  error: 'must be "auto", "none", "required" or name a tool',
});

const textFormat = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) }),
  ],
  { error: 'must be an object with the type "text", "json_object" or "json_schema"' },
);

export const responseBody = z.object({
  model: z.string().min(1),
  input: z.union([z.string(), itemList], { error: "must be text or a list of items" }).nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  include: z.array(z.string()).nullish(),

  max_output_tokens: z.int().min(1).nullish(),
  ...samplingFields,
  top_logprobs: z.int().min(0).max(20).nullish(),

  tools: listOf(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  prompt_cache_key: z.string().nullish(),
  text: z.object({ format: textFormat.nullish() }).nullish(),
  reasoning: z.object({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
  service_tier: z.string().nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),

  /** Asked for things that are not done here; read only to be refused when they ask for anything. */
  background: z.boolean().nullish(),
  prompt: z.unknown().optional(),
  conversation: z.unknown().optional(),
});
export type WireResponseBody = z.output<typeof responseBody>;

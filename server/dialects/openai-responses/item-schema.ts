/**
 * The form of the items in a Responses body's `input`, one schema per type. Pure. Items and parts of types nobody here knows
 * stay recognisable by their type: agents send new ones to everybody.
 */
import { z } from "zod";
import { listOf } from "../list-of.ts";

const image = z.object({
  type: z.literal("input_image"),
  image_url: z.union([z.string(), z.object({ url: z.string() })]).nullish(),
  file_id: z.string().nullish(),
  detail: z.string().nullish(),
});
const file = z.object({
  type: z.literal("input_file"),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().nullish(),
});
const text = z.object({
  type: z.enum(["input_text", "output_text", "text", "summary_text", "reasoning_text"]),
  text: z.string(),
});
const refusal = z.object({ type: z.literal("refusal"), refusal: z.string() });
const unknownPart = z.object({ type: z.string() }).transform(({ type }) => ({ type: "unknown" as const, name: type }));

type PartSchema = typeof image | typeof file | typeof text | typeof refusal | typeof unknownPart;

const partSchemas: ReadonlyMap<string, PartSchema> = new Map<string, PartSchema>([
  ["input_image", image],
  ["input_file", file],
  ["refusal", refusal],
  ...text.shape.type.options.map((type) => [type, text] as const),
]);

export type WirePart =
  | z.output<typeof image>
  | z.output<typeof file>
  | z.output<typeof text>
  | z.output<typeof refusal>
  | z.output<typeof unknownPart>;

/** Judges a value by the schema of its type, so that the complaint is about the field that is wrong. */
function byType<Read>(schemaOf: (type: unknown, value: object) => z.ZodType<Read>, words: string) {
  return z.unknown().transform((value, context): Read => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      context.issues.push({ code: "custom", input: value, message: words });
      return z.NEVER;
    }
    const result = schemaOf("type" in value ? value.type : undefined, value).safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues.slice(0, 1)) {
      context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
    }
    return z.NEVER;
  });
}

const part = byType<WirePart>(
  (type) => partSchemas.get(String(type)) ?? unknownPart,
  "must be a content part with a type",
);

const content = z.union([z.string(), listOf(part)], { error: "must be text or a list of content parts" });
export type WireContent = z.output<typeof content>;

const message = z.object({
  type: z
    .literal("message")
    .nullish()
    .transform(() => "message" as const),
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: content.nullish(),
});
const functionCall = z.object({
  type: z.literal("function_call"),
  call_id: z.string().min(1),
  name: z.string().min(1),
  namespace: z.string().nullish(),
  arguments: z.string(),
});
const customCall = z.object({
  type: z.literal("custom_tool_call"),
  call_id: z.string().min(1),
  name: z.string().min(1),
  namespace: z.string().nullish(),
  input: z.string(),
});
const callOutput = z.object({
  type: z.enum(["function_call_output", "custom_tool_call_output"]),
  call_id: z.string().min(1),
  output: content,
});
const reasoning = z.object({
  type: z.literal("reasoning"),
  id: z.string().nullish(),
  summary: listOf(part).nullish(),
  content: listOf(part).nullish(),
  encrypted_content: z.string().nullish(),
});
const reference = z.object({
  type: z
    .literal("item_reference")
    .nullish()
    .transform(() => "item_reference" as const),
  id: z.string().min(1),
});
const unknownItem = z.object({ type: z.string() }).transform(({ type }) => ({ type: "unknown" as const, name: type }));

export type WireItem =
  | z.output<typeof message>
  | z.output<typeof functionCall>
  | z.output<typeof customCall>
  | z.output<typeof callOutput>
  | z.output<typeof reasoning>
  | z.output<typeof reference>
  | z.output<typeof unknownItem>;

const itemSchemas: ReadonlyMap<string, z.ZodType<WireItem>> = new Map<string, z.ZodType<WireItem>>([
  ["message", message],
  ["function_call", functionCall],
  ["custom_tool_call", customCall],
  ["function_call_output", callOutput],
  ["custom_tool_call_output", callOutput],
  ["reasoning", reasoning],
  ["item_reference", reference],
]);

/** The official SDKs leave `type` out of messages and references: what has an id and no role refers to something. */
const item = byType<WireItem>((type, value) => {
  if (type === undefined || type === null) return "id" in value && !("role" in value) ? reference : message;
  return itemSchemas.get(String(type)) ?? unknownItem;
}, "must be an item: an object with a type, or with role and content");

export const itemList = listOf(item);

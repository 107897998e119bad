/**
 * An OpenAI Responses body → `ChatRequest`. Pure; runs in the server process; imports the domain only.
 *
 * The schema has judged the form; here the meaning is judged. What a body refers to (`previous_response_id`, item references) is
 * put in its place, so that whoever answers gets the whole conversation and no upstream has to remember anything.
 */
import type { ChatRequest, ReasoningEffort, ReasoningWish, ResponseFormat, ServiceTier } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { samplingOf, stopOf } from "../openai-sampling.ts";
import { conversationOf, type PlacedItem } from "./conversation.ts";
import { itemList, type WireItem } from "./item-schema.ts";
import { type Kept, noSuchItem, nothingKept, type RawItem } from "./kept.ts";
import { responseBody, type WireResponseBody } from "./schema.ts";
import { responsesId } from "./signature.ts";
import { readTools } from "./tools.ts";

export function decodeChat(body: unknown): ChatRequest {
  return decodeResponse(body, nothingKept);
}

/** Throws Failure `invalid_request` with `param`, `unsupported`, or `not_found` for what is not kept. `body` is parsed JSON. */
export function decodeResponse(body: unknown, kept: Kept): ChatRequest {
  const parsed = responseBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const wire = parsed.data;
  refuseWhatWeCannotGive(wire);
  const raw = body as Readonly<Record<string, unknown>>;
  const { input, items } = whole(wire, raw, kept);
  const { tools, choice, notes } = readTools(wire);
  const conversation = conversationOf(items, tools);
  const instructions = wire.instructions ? [systemMessage(wire.instructions)] : [];
  const messages = [...instructions, ...conversation.messages];
  if (messages.length === 0) throw badField("input", "'input' says nothing: send text or items.");
  const allNotes = [...notes, ...conversation.notes];
  return {
    model: wire.model,
    messages,
    completion: null,
    tools,
    toolChoice: choice,
    parallelToolCalls: wire.parallel_tool_calls ?? true,
    responseFormat: responseFormatOf(wire),
    sampling: samplingOf(wire),
    maxTokens: wire.max_output_tokens ?? null,
    choices: 1,
    logprobs: wire.include?.includes("message.output_text.logprobs") ? { top: wire.top_logprobs ?? 0 } : null,
    stop: stopOf(wire.stop),
    ignoreEos: wire.ignore_eos ?? false,
    cachePrompt: wire.cache_prompt ?? true,
    cacheKey: wire.prompt_cache_key ?? null,
    stream: wire.stream ?? false,
    includeUsage: true,
    ...reasoningOf(wire),
    ...tierOf(wire),
    ...endUserOf(wire),
    wire: { dialect: responsesId, body: { ...raw, input, store: kept.keeps && wire.store !== false } },
    ...(allNotes.length === 0 ? {} : { notes: allNotes }),
  };
}

function systemMessage(text: string): ChatRequest["messages"][number] {
  return { role: "system", content: [{ type: "text", text }] };
}

function refuseWhatWeCannotGive(wire: WireResponseBody): void {
  if (wire.background === true) {
    throw badField("background", "Answers are given while you wait: leave 'background' out, and ask for a stream.");
  }
  if (wire.prompt !== undefined && wire.prompt !== null) {
    throw badField("prompt", "No prompt templates are kept here: send 'instructions' and 'input'.");
  }
  if (wire.conversation !== undefined && wire.conversation !== null) {
    throw badField("conversation", "No conversations are kept here: send 'previous_response_id' or the items.");
  }
}

/** The items of this turn as they were sent; text is one message of the user. */
export function sentItems(input: unknown): readonly RawItem[] {
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }];
  return Array.isArray(input) ? input : [];
}

/** The whole conversation, raw for an upstream of this wire shape and read for all others. */
function whole(
  wire: WireResponseBody,
  raw: Readonly<Record<string, unknown>>,
  kept: Kept,
): { readonly input: readonly RawItem[]; readonly items: readonly PlacedItem[] } {
  const { previous_response_id: previous } = wire;
  const before = previous ? kept.conversation(previous) : [];
  const sent = sentItems(raw.input);
  const own = typeof wire.input === "string" ? readItems(sent) : (wire.input ?? []);
  const input: RawItem[] = [...before];
  const items = readItems(before).map((item) => placed(item, "previous_response_id"));
  own.forEach((item, index) => {
    if (item.type !== "item_reference") {
      input.push(sent[index] ?? {});
      items.push(placed(item, `input[${index}]`));
      return;
    }
    const found = kept.item(item.id);
    input.push(found);
    items.push(...readItems([found]).map((one) => placed(one, `input[${index}]`)));
  });
  return { input, items };
}

function readItems(raw: readonly RawItem[]): readonly WireItem[] {
  const parsed = itemList.safeParse(raw);
  if (!parsed.success) throw new Failure("internal", "A kept item cannot be read.", { cause: parsed.error });
  return parsed.data;
}

function placed(item: WireItem, place: string): PlacedItem {
  if (item.type === "item_reference") throw noSuchItem(item.id);
  return { item, place };
}

function responseFormatOf(wire: WireResponseBody): ResponseFormat {
  const wished = wire.text?.format;
  if (wished === undefined || wished === null || wished.type === "text") return { type: "text" };
  if (wished.type === "json_object") return { type: "json-object" };
  return { type: "json-schema", schema: wished.schema, param: "text.format.schema" };
}

const efforts: readonly ReasoningEffort[] = ["none", "minimal", "low", "medium", "high", "xhigh"];

function reasoningOf({ reasoning }: WireResponseBody): { reasoning?: ReasoningWish } {
  if (reasoning === undefined || reasoning === null) return {};
  const effort = efforts.find((one) => one === reasoning.effort) ?? null;
  const summary = (["auto", "concise", "detailed"] as const).find((one) => one === reasoning.summary) ?? null;
  return { reasoning: { effort, budgetTokens: null, summary } };
}

const tiers: Readonly<Record<string, ServiceTier>> = Object.freeze({
  default: "standard",
  flex: "flex",
  priority: "priority",
});

function tierOf(wire: WireResponseBody): { serviceTier?: ServiceTier } {
  const tier = tiers[wire.service_tier ?? ""];
  return tier === undefined ? {} : { serviceTier: tier };
}

function endUserOf(wire: WireResponseBody): { endUser?: string } {
  const endUser = wire.safety_identifier ?? wire.user;
  return endUser === undefined || endUser === null || endUser === "" ? {} : { endUser };
}

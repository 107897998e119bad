/** OpenAI's Responses wire as a vendor speaks it. Written from the documented format. */
import { bearer, frame, openaiFailure, openaiRateHeaders, type Frame, type Reply, type VendorWire } from "../wire.ts";

function usageOf({ usage, costUsd }: Reply): object | null {
  if (usage === null) return null;
  return {
    input_tokens: usage.prompt,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.completion,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.prompt + usage.completion,
    ...(costUsd === null ? {} : { cost: { total_cost: costUsd, currency: "USD" } }),
  };
}

function itemsOf(reply: Reply): readonly Readonly<Record<string, unknown>>[] {
  const text = reply.textPieces.join("");
  return [
    ...(reply.reasoningPieces.length === 0
      ? []
      : [
          {
            type: "reasoning",
            id: `rs_${reply.id}`,
            summary: [{ type: "summary_text", text: reply.reasoningPieces.join("") }],
          },
        ]),
    ...(text === ""
      ? []
      : [
          {
            type: "message",
            id: `msg_${reply.id}`,
            role: "assistant",
            status: "completed",
            content: [{ type: "output_text", text, annotations: [] }],
          },
        ]),
    ...reply.calls.map((call, index) => ({
      type: "function_call",
      id: `fc_${reply.id}_${index}`,
      call_id: call.id,
      name: call.name,
      arguments: call.arguments,
      status: "completed",
    })),
  ];
}

function responseOf(reply: Reply, status: string, output: readonly object[], usage: object | null): object {
  return {
    id: reply.id,
    object: "response",
    created_at: 1_700_000_000,
    model: reply.model,
    status,
    error: null,
    incomplete_details:
      status === "incomplete" ? { reason: reply.finish === "length" ? "max_output_tokens" : "content_filter" } : null,
    output,
    usage,
  };
}

export const responsesWire: VendorWire = {
  name: "responses",
  basePath: "/v1",
  contentType: "text/event-stream; charset=utf-8",
  terminator: "",
  requestIdHeader: "x-request-id",
  keyOf: bearer,
  rateHeaders: openaiRateHeaders,
  failure: openaiFailure,
  errorFrame: (message) =>
    frame({ type: "error", code: "server_error", message, param: null, sequence_number: 99 }, "error"),
  models: (ids) => ({ object: "list", data: ids.map((id) => ({ id, object: "model", owned_by: "stand-in" })) }),
  asks: (path, _query, body) =>
    path === "/responses" ? { model: String(body.model ?? ""), stream: body.stream === true } : null,
  promptOf: (body) => [body.instructions ?? null, body.input, body.tools ?? null],
  frames: (reply) => {
    const frames: Frame[] = [];
    const say = (type: string, fields: object) =>
      frames.push(frame({ type, sequence_number: frames.length, ...fields }, type));
    say("response.created", { response: responseOf(reply, "in_progress", [], null) });
    say("response.in_progress", { response: responseOf(reply, "in_progress", [], null) });
    for (const [output_index, item] of itemsOf(reply).entries()) {
      const place = { output_index, item_id: item.id };
      if (item.type === "message") {
        const part = { type: "output_text", text: "", annotations: [] };
        say("response.output_item.added", { output_index, item: { ...item, status: "in_progress", content: [] } });
        say("response.content_part.added", { ...place, content_index: 0, part });
        for (const delta of reply.textPieces) say("response.output_text.delta", { ...place, content_index: 0, delta });
        const text = reply.textPieces.join("");
        say("response.output_text.done", { ...place, content_index: 0, text });
        say("response.content_part.done", { ...place, content_index: 0, part: { ...part, text } });
      } else if (item.type === "reasoning") {
        say("response.output_item.added", { output_index, item: { ...item, summary: [] } });
        say("response.reasoning_summary_part.added", {
          ...place,
          summary_index: 0,
          part: { type: "summary_text", text: "" },
        });
        for (const delta of reply.reasoningPieces)
          say("response.reasoning_summary_text.delta", { ...place, summary_index: 0, delta });
        say("response.reasoning_summary_text.done", {
          ...place,
          summary_index: 0,
          text: reply.reasoningPieces.join(""),
        });
      } else {
        const call = reply.calls.find(({ id }) => id === item.call_id);
        say("response.output_item.added", { output_index, item: { ...item, status: "in_progress", arguments: "" } });
        for (const delta of call?.pieces ?? []) say("response.function_call_arguments.delta", { ...place, delta });
        say("response.function_call_arguments.done", { ...place, arguments: item.arguments });
      }
      say("response.output_item.done", { output_index, item });
    }
    const isWhole = reply.finish === "stop" || reply.finish === "tool-calls";
    const status = isWhole ? "completed" : "incomplete";
    say(`response.${status}`, { response: responseOf(reply, status, itemsOf(reply), usageOf(reply)) });
    return frames;
  },
  whole: (reply) => {
    const isWhole = reply.finish === "stop" || reply.finish === "tool-calls";
    return responseOf(reply, isWhole ? "completed" : "incomplete", itemsOf(reply), usageOf(reply));
  },
};

/** A client of OpenAI's chat shape in front of an upstream of the same: frame by frame as it came, but for a closed list of edits. */
import { describe, expect, test } from "vitest";
import type { CallFacts } from "../../../server/dialects/called.ts";
import { calledDialects, dialects } from "../../../server/dialects/index.ts";
import type { ChatEvent } from "../../../server/domain/chat.ts";

const served = dialects["openai-chat"];
const facts: CallFacts = { model: "up-1", maxTokens: null, traits: {} };
const closing = { target: "cloud/up-1", cost: { known: false, reason: "not_priced" } } as const;
const comment = ": x-lanthorn-target=cloud/up-1 cost=unknown(not_priced)\n\n";

const usageOnly = '{"id":"c","model":"up-1","choices":[ ],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
/** With spaces, odd numbers, unknown fields, and the word `model` where it is none of ours. */
const came = [
  '{"id":"","model":"","choices":[],"prompt_filter_results":[{"model":"keep-me"}]}',
  '{ "id": "c", "provider": {"model": "keep-me"}, "model" : "up-1", "choices": [{"index":0,"delta":{"role":"assistant","content":""}}] }',
  '{"id":"c","model":"up-1","choices":[{"index":0,"delta":{"content":"\\"model\\":\\"up-1\\" é \\u00e9"},"x":1.50e3}],"usage":null}',
  '{"id":"c","model":"up-1","choices":[{"index":0,"delta":{"reasoning":"hm","zz":[{}]}}]}',
  '{"id":"c","model":"up-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"id":"t","function":{"name":"f","arguments":""}}]}}]}',
  '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
];
const edited = [
  '{"id":"","model":"my \\"coder\\"","choices":[],"prompt_filter_results":[{"model":"keep-me"}]}',
  '{ "id": "c", "provider": {"model": "keep-me"}, "model" : "my \\"coder\\"", "choices": [{"index":0,"delta":{"role":"assistant","content":""}}] }',
  '{"id":"c","model":"my \\"coder\\"","choices":[{"index":0,"delta":{"content":"\\"model\\":\\"up-1\\" é \\u00e9"},"x":1.50e3}],"usage":null}',
  '{"id":"c","model":"my \\"coder\\"","choices":[{"index":0,"delta":{"reasoning":"hm","zz":[{}]}}]}',
  '{"id":"c","model":"my \\"coder\\"","choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"id":"t","function":{"name":"f","arguments":""}}]}}]}',
  '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
];

function begin(includeUsage: boolean, stream = true) {
  const request = served.decodeChat({
    ...{ model: 'my "coder"', stream, messages: [{ role: "user", content: "hi" }] },
    stream_options: { include_usage: includeUsage },
  });
  const encoder = served.chatEncoder(request, {
    requestId: "r",
    createdAtS: 1,
    model: request.model,
    fingerprint: "f",
  });
  return { encoder, decoder: calledDialects["openai-chat"].decoder(request, facts) };
}

/** What the client is sent, frame by frame. */
function sent(frames: readonly string[], includeUsage: boolean): string[] {
  const { encoder, decoder } = begin(includeUsage);
  const events = frames.flatMap((data) => [...decoder.frame({ event: null, data })]);
  const bytes = [...events, ...decoder.ended()].map((event) => encoder.frames(event)).join("");
  return (bytes + encoder.close(closing)).split(/(?<=\n\n)/);
}

describe("S-24 the same shape on both sides", () => {
  test("every frame is as it came, byte for byte, but for the model's name", () => {
    const wanted = edited.map((json) => `data: ${json}\n\n`);
    expect(sent([...came, "[DONE]"], false)).toEqual([...wanted, comment, "data: [DONE]\n\n"]);
  });

  test("a chunk of usage alone is for who asked for it", () => {
    const asked = sent([...came, usageOnly, "[DONE]"], true);
    expect(asked.at(-3)).toBe(`data: ${usageOnly.replace('"up-1"', '"my \\"coder\\""')}\n\n`);
    expect(asked).toHaveLength(came.length + 3);
    expect(sent([...came, usageOnly, "[DONE]"], false)).toHaveLength(came.length + 2);
  });

  test("the terminator comes after a true end, whether the upstream wrote one or not, and after no other", () => {
    expect(sent(came, false).at(-1)).toBe("data: [DONE]\n\n");
    const cut = sent(came.slice(0, 4), false);
    expect(cut.slice(0, 4)).toEqual(edited.slice(0, 4).map((json) => `data: ${json}\n\n`));
    expect(cut[4]).toMatch(/^data: \{"error":\{.*"code":"upstream_cut"/);
    expect(cut.slice(5)).toEqual([comment]);
    // A proxy's `[DONE]` behind half an answer is none of the model's.
    expect(sent([...came.slice(0, 4), "[DONE]"], false).join("")).not.toContain("[DONE]");
  });

  test("an error inside the stream is one failure in our words, and the end", () => {
    const frames = sent(
      [...came.slice(0, 3), '{"error":{"code":502,"message":"sk-secret-12345678 broke"}}', ...came],
      false,
    );
    expect(frames).toHaveLength(5);
    expect(frames[3]).toContain("upstream_failed");
    expect(frames.join("")).not.toContain("sk-secret");
  });

  test("an answer in one piece is the upstream's, with our name for the model", () => {
    const body =
      ' {"id":"c","object":"chat.completion","model":"up-1","zz":1.0,"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}';
    const { encoder, decoder } = begin(false, false);
    expect(encoder.whole(decoder.whole(body))).toBe(body.replace('"up-1"', '"my \\"coder\\""'));
    // Read as a stream it is written as one.
    const streamed = begin(false).encoder;
    const bytes = decodedWhole(body)
      .map((event) => streamed.frames(event))
      .join("");
    expect(bytes).toContain('"delta":{"content":"hi"}');
    expect(bytes).toContain('"finish_reason":"stop"');
  });

  test("frames of another shape are not written: what they say is", () => {
    const { encoder } = begin(false);
    const wire = { dialect: "gemini", event: null, data: '{"candidates":[]}' };
    const bytes = [
      { type: "frame", wire } as const,
      { type: "text", text: "a", wire } as const,
      { type: "text", text: "b", wire: "above" } as const,
    ].map((event) => encoder.frames(event));
    expect(bytes[0]).toBe("");
    expect(bytes[1]).toContain('"content":"a"');
    expect(bytes[2]).toContain('"content":"b"');
  });
});

function decodedWhole(body: string): readonly ChatEvent[] {
  return begin(false, false).decoder.whole(body);
}

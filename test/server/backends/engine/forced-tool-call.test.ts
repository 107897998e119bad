import { expect, test } from "vitest";
import { ForcedToolCall } from "../../../../server/backends/engine/forced-tool-call.ts";

test("a forced call becomes the same events however its text is cut", () => {
  const text = '{"name":"get_weather","arguments":{"city":"Paris","note":"}"}}';
  for (let cut = 1; cut < text.length; cut += 1) {
    const call = new ForcedToolCall(() => "call_1");
    const events = [...call.push(text.slice(0, cut)), ...call.push(text.slice(cut))];
    const pieces = events.map((event) => (event.type === "tool-arguments" ? event.text : ""));
    expect(events[0]).toEqual({ type: "tool-call", index: 0, id: "call_1", name: "get_weather" });
    expect(pieces.join("")).toBe('{"city":"Paris","note":"}"}');
    expect(call.complete).toBe(true);
  }
});

test("a call that was cut short is not complete", () => {
  const call = new ForcedToolCall(() => "call_1");
  call.push('{"name":"a","arguments":{"x":"y');
  expect(call.complete).toBe(false);
});

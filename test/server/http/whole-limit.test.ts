/** Answers in one piece past the limit of the way to their reader: advice instead of a cut, and the slot is free. */
import { afterEach, expect, test } from "vitest";
import { finished, hello, openRoom, type Room, text } from "./room.ts";

let room: Room;
afterEach(() => room.close());

test("past the limit the client is told to stream, as something that asking again does not mend", async () => {
  room = await openRoom({ settings: { wholeLimitMs: 200 } });
  const answer = room.post(hello);
  const performance = await room.next();
  performance.emit(text("half an ans"));
  await performance.left;
  const response = await answer;
  expect(response.status).toBe(400);
  expect(response.headers.get("retry-after")).toBeNull();
  expect(await response.json()).toMatchObject({
    error: {
      code: "stream_needed",
      type: "invalid_request_error",
      param: "stream",
      message: expect.stringMatching(/may take 0\.2 s on this way.*stream: true/),
    },
  });
  expect(performance.signal.reason).toMatchObject({ code: "stream_needed" });
});

test("in Anthropic's shape too", async () => {
  room = await openRoom({ settings: { wholeLimitMs: 200 } });
  const response = await fetch(`${room.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...hello, max_tokens: 10 }),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    type: "error",
    error: { type: "invalid_request_error", details: { error_code: "stream_needed" } },
  });
});

test("a stream has no such limit, and an answer in time is whole", async () => {
  room = await openRoom({ settings: { wholeLimitMs: 1_000 } });
  const streaming = room.post({ ...hello, stream: true });
  const stream = await room.next();
  stream.emit(text("a"));
  const response = await streaming;
  const whole = room.post(hello);
  (await room.next()).emit(text("b"), finished);
  expect((await whole).status).toBe(200);
  // The other request's limit would have been over by now.
  const late = room.post(hello);
  await (await room.next()).left;
  expect((await late).status).toBe(400);
  expect(stream.signal.aborted).toBe(false);
  stream.emit(finished);
  expect(await response.text()).toContain("[DONE]");
});

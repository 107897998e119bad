/** Rate limits as a client meets them: 429 with Retry-After, OpenAI's headers, and no row. */
import { afterEach, describe, expect, test } from "vitest";
import { durationText } from "../../../server/dialects/openai-chat/rate-headers.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { type ErrorBody, finished, hello, jsonOf, openRoom, type Room, type RoomOptions, text } from "./room.ts";

let room: Room;
afterEach(() => room.close());

async function roomWith(limits: RoomOptions["limits"]): Promise<Room> {
  room = await openRoom({ limits: limits ?? {} });
  room.script = ({ emit }) => emit(text("hi"), finished);
  return room;
}

const rateHeadersOf = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("x-ratelimit-")));

describe("without limits", () => {
  test("no answer speaks of them", async () => {
    await roomWith({});
    expect(rateHeadersOf(await room.post(hello))).toEqual({});
  });
});

describe("requests per minute", () => {
  test("S-04 past the limit: 429, Retry-After, the SDKs' code, and no row", async () => {
    await roomWith({ requestsPerMinute: 2 });
    const answers = [await room.post(hello), await room.post({ ...hello, stream: true }), await room.post(hello)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.map((answer) => answer.headers.get("x-ratelimit-remaining-requests"))).toEqual(["1", "0", "0"]);
    expect(answers[0]?.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(answers[2]?.headers.get("x-ratelimit-reset-requests")).toMatch(/^(\d+m)?\d+(\.\d+)?s$/);
    const retryAfter = Number(answers[2]?.headers.get("retry-after"));
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(30);
    const { error } = await jsonOf<ErrorBody>(answers[2] as Response);
    expect(error).toMatchObject({ code: "rate_limit_exceeded", type: "rate_limit_error" });
    expect(room.refusals).toEqual([]);
  });

  test("are counted per key", async () => {
    await roomWith({ requestsPerMinute: 1 });
    const headers = { authorization: `Bearer ${room.inferenceKey}` };
    const statuses = [await room.post(hello), await room.post(hello, { headers }), await room.post(hello, { headers })];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
  });
});

test("feedback is a request like any other", async () => {
  await roomWith({ requestsPerMinute: 1 });
  const say = () =>
    fetch(`${room.url}/v1/feedback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ request_id: "req_none", ok: true }),
    });
  const answers = [await say(), await say(), await room.post(hello)];
  expect(answers.map(({ status }) => status)).toEqual([404, 429, 429]);
  expect(answers[1]?.headers.get("retry-after")).not.toBeNull();
});

describe("tokens per minute", () => {
  const tokensLeft = (response: Response) => Number(response.headers.get("x-ratelimit-remaining-tokens"));

  test("are reserved from the prompt and corrected when the answer has ended", async () => {
    await roomWith({ tokensPerMinute: 1_000 });
    const long = { ...hello, messages: [{ role: "user", content: "x".repeat(2_000) }] };
    const first = await room.post(long);
    await first.text();
    expect(tokensLeft(first)).toBeGreaterThanOrEqual(500);
    expect(tokensLeft(first)).toBeLessThan(520);
    // It used seven.
    expect(tokensLeft(await room.post({ ...hello, messages: [{ role: "user", content: "" }] }))).toBeGreaterThan(990);
  });

  test("of a request that was refused before it computed are given back", async () => {
    await roomWith({ tokensPerMinute: 1_000 });
    room.script = ({ refuse }) => refuse(new Failure("context_length_exceeded", "too long"));
    const long = { ...hello, messages: [{ role: "user", content: "x".repeat(3_600) }] };
    expect((await room.post(long)).status).toBe(400);
    expect((await room.post(long)).status).toBe(400);
  });

  test("past the limit a request is not begun", async () => {
    await roomWith({ tokensPerMinute: 100 });
    room.script = null;
    const running = room.post({ ...hello, messages: [{ role: "user", content: "x".repeat(390) }] });
    const performance = await room.next();
    const { status, headers } = await room.post({ ...hello, messages: [{ role: "user", content: "x".repeat(40) }] });
    performance.emit(finished);
    await running;
    expect(status).toBe(429);
    expect(headers.get("x-ratelimit-limit-tokens")).toBe("100");
    expect(room.refusals).toEqual([]);
  });
});

describe("requests at the same time", () => {
  test("one more is refused; when one has ended the next is let in", async () => {
    await roomWith({ concurrent: 1 });
    room.script = null;
    const first = room.post(hello);
    const performance = await room.next();
    expect((await room.post(hello)).status).toBe(429);
    performance.emit(finished);
    expect((await first).status).toBe(200);
    room.script = ({ emit }) => emit(finished);
    expect((await room.post(hello)).status).toBe(200);
  });

  test("a client that goes away makes room", async () => {
    await roomWith({ concurrent: 1 });
    room.script = null;
    const leaving = new AbortController();
    const first = room.post(hello, { signal: leaving.signal });
    const performance = await room.next();
    leaving.abort();
    await expect(first).rejects.toThrow();
    await performance.left;
    room.script = ({ emit }) => emit(finished);
    await expect.poll(async () => (await room.post(hello)).status, { timeout: 5_000 }).toBe(200);
  });
});

test("durations are written as OpenAI writes them", () => {
  expect([0, 0.2, 120, 1_000, 8_641, 59_999, 60_000, 61_500, 360_000].map(durationText)).toEqual([
    "0s",
    "1ms",
    "120ms",
    "1s",
    "8.65s",
    "1m0s",
    "1m0s",
    "1m1.5s",
    "6m0s",
  ]);
});

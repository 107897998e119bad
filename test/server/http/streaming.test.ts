/** Time on a stream: signs of life, clients that leave, clients that are slow. Periods are shortened, not the mechanism. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { eventually, failed, finished, hello, openRaw, openRoom, type Room, rawChat, text } from "./room.ts";

let room: Room;
beforeAll(async () => {
  room = await openRoom();
});
afterAll(() => room.close());

const streamed = { ...hello, stream: true };

describe("S-16 keep-alive", () => {
  test("headers come before the first token, then comments, and no data before there is any", async () => {
    const answer = room.post(streamed);
    const performance = await room.next();
    performance.emit({ type: "accepted", promptTokens: 5, queuePosition: 3 });
    const response = await answer;
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while (reader && (seen.match(/: keep-alive/g) ?? []).length < 4) seen += (await reader.read()).value;
    expect(response.status).toBe(200);
    expect(seen.replaceAll(": keep-alive\n\n", "")).toBe("");
    performance.emit(text("at last"), finished);
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) seen += read.value;
    expect(seen).toContain("at last");
    expect(seen.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("what is known before the headers keeps its status; after them it is the dialect's error frame", async () => {
    room.script = ({ refuse }) => refuse(new Failure("queue_full", "Full."));
    expect((await room.post(streamed)).status).toBe(429);

    room.script = null;
    const late = room.post(streamed);
    const performance = await room.next();
    const response = await late;
    performance.emit(failed(new Failure("model_unavailable", "It will not load.")));
    const bytes = await response.text();
    expect(response.status).toBe(200);
    expect(bytes).toMatch(/^(: keep-alive\n\n)+data: \{"error":/);
    expect(bytes).not.toContain("[DONE]");
  });

  test("a refusal that comes after the headers, as a throw, is an error frame too", async () => {
    const late = room.post(streamed);
    const performance = await room.next();
    const response = await late;
    performance.refuse(new Failure("queue_full", "Full after all."));
    expect(await response.text()).toMatch(/data: \{"error":\{"message":"Full after all\."/);
  });

  test("a stream with tokens gets no comments between them", async () => {
    room.script = ({ emit }) => emit(text("a"), text("b"), finished);
    expect(await (await room.post(streamed)).text()).not.toContain("keep-alive");
    room.script = null;
  });
});

describe("S-17 abort: a client that leaves is noticed at once", () => {
  test("while decoding", async () => {
    const controller = new AbortController();
    const answer = room.post(streamed, { signal: controller.signal });
    const performance = await room.next();
    performance.emit(text("a"));
    const reader = (await answer).body?.getReader();
    await reader?.read();
    controller.abort();
    await performance.left;
    expect(performance.signal.aborted).toBe(true);
  });

  test.each([
    ["before the first event, streamed", streamed],
    ["before the first event, whole", hello],
  ])("%s", async (_what, body) => {
    const controller = new AbortController();
    const answer = room.post(body, { signal: controller.signal }).catch((error: Error) => error.name);
    const performance = await room.next();
    controller.abort();
    await performance.left;
    expect(await answer).toBe("AbortError");
  });

  test("by a connection that is cut, or closed from its side only", async () => {
    for (const leave of ["destroy", "end"] as const) {
      const client = await openRaw(room.port, rawChat(streamed));
      const performance = await room.next();
      performance.emit(text("a"));
      await client.until('"content":"a"');
      client.socket[leave]();
      await performance.left;
      await client.closed;
    }
  });

  test("a client that leaves before its body is complete leaves a refused row", async () => {
    room.refusals.length = 0;
    const client = await openRaw(room.port, rawChat(streamed).slice(0, -5));
    client.socket.destroy();
    await eventually(() => room.refusals.length === 1);
    expect(room.refusals[0]?.failure.message).toMatch(/closed before the body was complete/);
  });

  test("an answered request was not left", async () => {
    const answer = room.post(streamed);
    const performance = await room.next();
    performance.emit(text("a"), finished);
    await (await answer).text();
    expect(performance.signal.aborted).toBe(false);
  });
});

describe("S-31 a client that does not read", () => {
  const piece = text("x".repeat(64 * 1024));

  test("is not written to beyond its buffers, and gets everything once it reads", async () => {
    const client = await openRaw(room.port, rawChat(streamed));
    client.socket.pause();
    const performance = await room.next();
    const pieces = 400;
    performance.emit(...Array.from({ length: pieces }, () => piece), finished);
    // 25 MB wait; what the two kernels hold is all that was taken.
    let before = -1;
    await eventually(() => {
      const same = performance.pulled() === before && before > 1;
      before = performance.pulled();
      return same;
    });
    expect(performance.pulled()).toBeLessThan(pieces / 2);
    client.socket.resume();
    const received = await client.until("data: [DONE]\n\n");
    expect(received.match(/"content":"x/g)).toHaveLength(pieces);
    client.socket.destroy();
  });

  test("and takes nothing for too long is cut, which stops the work", async () => {
    const client = await openRaw(room.port, rawChat(streamed));
    client.socket.pause();
    const performance = await room.next();
    const startedMs = performance.pulled();
    performance.emit(...Array.from({ length: 400 }, () => piece));
    await performance.left;
    expect(performance.pulled()).toBeGreaterThan(startedMs);
    client.socket.resume();
    if (!client.socket.destroyed) await once(client.socket, "close");
  });
});

test("frames that are ready together leave together", async () => {
  room.script = ({ emit }) => emit(text("a"), text("b"), text("c"), finished);
  const client = await openRaw(room.port);
  let packets = 0;
  client.socket.on("data", () => {
    packets += 1;
  });
  client.socket.write(rawChat(streamed));
  await client.until("data: [DONE]\n\n");
  expect(packets).toBeLessThanOrEqual(2);
  client.socket.destroy();
});

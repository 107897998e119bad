/** What clients do on bad days, and clocks: slow ones in numbers, ones that are silent for ever, huge ones, and set clocks. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { openSlowClients } from "../../support/slow-clients.ts";
import { eventually, finished, hello, openRaw, openRoom, type Room, rawChat, text } from "./room.ts";

const rooms: Room[] = [];
async function open(options: Parameters<typeof openRoom>[0] = {}): Promise<Room> {
  const room = await openRoom(options);
  rooms.push(room);
  return room;
}
afterEach(async () => {
  for (const room of rooms.splice(0)) await room.close();
});

const streamed = { ...hello, stream: true };

describe("S-31 slow clients", () => {
  test("sixty of them hold nobody up, and each is gone in its time", async () => {
    const room = await open();
    room.script = ({ emit }) => emit(text("ok"), finished);
    const slow = await openSlowClients(room.port, 60, ["silent", "headers", "body"], "");
    try {
      for (let index = 0; index < 20; index += 1) {
        const startedMs = performance.now();
        expect((await room.post(hello)).status).toBe(200);
        expect(performance.now() - startedMs).toBeLessThan(5_000);
      }
      const lifetimes = await slow.lifetimes(20_000);
      expect(lifetimes.filter((ms) => ms === null)).toEqual([]);
      // Their times are a second here, and the server looks every two.
      expect(Math.max(...lifetimes.map((ms) => ms ?? Number.POSITIVE_INFINITY))).toBeLessThan(15_000);
    } finally {
      slow.close();
    }
    await eventually(() => connections(room) <= 1);
  });
});

function connections(room: Room): number {
  let open = -1;
  room.http.server.getConnections((_error, count) => {
    open = count;
  });
  return open;
}

describe("long silence", () => {
  test("ten thousand signs of life cost nothing that stays, and the answer comes whole after them", async () => {
    const clock = manualClock();
    const room = await open({ clock, settings: { keepAliveMs: 1000 }, timing: { commitMs: 1000 } });
    const client = await openRaw(room.port, rawChat(streamed));
    const performance = await room.next();
    const settled = async (comments: number) => {
      for (let sent = 0; sent < comments; sent += 1) {
        clock.advance(1000);
        if (sent % 100 === 0) await delay(0);
      }
    };
    await settled(1000);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await settled(9000);
    await eventually(() => (client.received().match(/: keep-alive/g) ?? []).length >= 10_000);
    globalThis.gc?.();
    // The test's own client keeps 14 bytes of each.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);
    performance.emit(text("at last"), finished);
    const received = await client.until("data: [DONE]\n\n");
    expect(received).toContain("at last");
    client.socket.destroy();
  });
});

describe.each([86_400_000, -86_400_000])("a wall clock that is set by %i ms", (jumpMs) => {
  test("ends no stream, cuts no client short and lets none stay", async () => {
    let setByMs = 0;
    const room = await open({ clock: { ...systemClock, now: () => systemClock.now() + setByMs } });
    const answer = room.post(streamed);
    const performance = await room.next();
    performance.emit(text("a"));
    const response = await answer;
    const slow = await openRaw(room.port, `${rawChat(streamed).slice(0, -10)}`);
    setByMs = jumpMs;
    expect(await slow.closed).toMatch(/^HTTP\/1\.1 400 [\s\S]*too slowly/);
    await delay(250);
    expect(performance.signal.aborted).toBe(false);
    performance.emit(text("b"), finished);
    expect(await response.text()).toMatch(/"content":"a"[\s\S]*: keep-alive[\s\S]*"content":"b"[\s\S]*\[DONE\]/);
    setByMs = 0;
    expect((await room.get("/health")).status).toBe(200);
  });
});

describe("a prompt of 32 MB", () => {
  test("is judged in bounded time, and a running stream hardly waits for it", async () => {
    const room = await open({ settings: { bodyLimitBytes: 32 * 1024 * 1024 }, timing: { bodyGraceMs: 30_000 } });
    const answer = room.post(streamed);
    const running = await room.next();
    running.emit(text("0"));
    const reader = (await answer).body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) throw new Error("no body");

    let longestMs = 0;
    let isOver = false;
    const beating = (async () => {
      let lastMs = performance.now();
      while (!isOver) {
        running.emit(text("x"));
        await reader.read();
        const nowMs = performance.now();
        longestMs = Math.max(longestMs, nowMs - lastMs);
        lastMs = nowMs;
        await delay(10);
      }
    })();
    room.script = ({ request, refuse }) => {
      const [part] = request.messages[0]?.content ?? [];
      const characters = part?.type === "text" ? part.text.length : 0;
      refuse(new Failure("context_length_exceeded", `${characters} characters do not fit.`));
    };
    const prompt = "lorem ipsum ".repeat(2_600_000);
    const body = JSON.stringify({ ...hello, messages: [{ role: "user", content: prompt }] });
    const startedMs = performance.now();
    const refused = await room.post(body);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { message: `${prompt.length} characters do not fit.` } });
    isOver = true;
    await beating;
    expect(longestMs).toBeLessThan(2_500);
    running.emit(finished);
    await reader.cancel();
  });
});

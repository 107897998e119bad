/** S-22: the box stops. Not ready at once, running answers may end, what remains is told so. */
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aborted, eventually, finished, hello, openRaw, openRoom, type Room, rawChat, text } from "./room.ts";

let room: Room;
beforeEach(async () => {
  room = await openRoom();
});
afterEach(() => room.close());

const streamed = { ...hello, stream: true };

describe("S-22 drain", () => {
  test("readiness is 503 at once, new inference is refused with a row, and a running answer ends whole", async () => {
    const answer = room.post(streamed);
    const performance = await room.next();
    performance.emit(text("a"));
    const response = await answer;
    const closed = room.http.close(10_000);

    expect((await room.get("/ready")).status).toBe(503);
    expect((await room.get("/health")).status).toBe(200);
    const refused = await room.post(hello);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await refused.json()).toMatchObject({ error: { code: "shutting_down" } });
    expect(room.refusals).toMatchObject([{ failure: { code: "shutting_down" } }]);

    performance.emit(text("b"), finished);
    expect(await response.text()).toMatch(/"content":"b"[\s\S]*data: \[DONE\]\n\n$/);
    expect(performance.signal.aborted).toBe(false);
    await closed;
    await expect(room.get("/health")).rejects.toThrow();
  });

  test("at the end of the grace period a stream gets an error frame and a whole answer its status", async () => {
    const stream = room.post(streamed);
    const first = await room.next();
    first.emit(text("a"));
    const response = await stream;
    const whole = room.post(hello);
    const second = await room.next();
    const closed = room.http.close(50);
    const bytes = await response.text();
    expect(bytes).toMatch(/data: \{"error":\{[^\n]*"code":"shutting_down"/);
    expect(bytes).not.toContain("[DONE]");
    expect((await whole).status).toBe(503);
    expect(second.signal.reason).toMatchObject({ code: "shutting_down" });
    await closed;
  });

  test("a stream that is cut says so in words that the clients of its dialect take for a reason to ask again", async () => {
    const streams = [
      {
        path: "/v1/messages",
        body: { ...streamed, max_tokens: 10 },
        retried: /event: error\ndata: [^\n]*"overloaded_error"/,
      },
      {
        path: "/v1/responses",
        body: { model: "coder", input: "hi", stream: true },
        retried: /"response\.failed"[^\n]*"code":"server_error"/,
      },
    ];
    const answers = [];
    for (const { path, body, retried } of streams) {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = fetch(room.url + path, init);
      (await room.next()).emit(text("a"));
      answers.push({ response: await answer, retried });
    }
    const closed = room.http.close(0);
    for (const { response, retried } of answers) expect(await response.text()).toMatch(retried);
    await closed;
  });

  test("a second call does not wait", async () => {
    const stream = room.post(streamed);
    (await room.next()).emit(text("a"));
    const response = await stream;
    const closed = room.http.close(600_000);
    void room.http.close(600_000);
    expect(await response.text()).toContain("shutting_down");
    await closed;
  });

  test("nothing running: it ends with idle connections and event streams open", async () => {
    const idle = await openRaw(room.port, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await idle.until('"status":"ok"');
    const silent = await openRaw(room.port);
    const events = await room.get("/admin/events", { authorization: `Bearer ${room.adminKey}` });
    expect(events.status).toBe(200);
    await room.http.close(600_000);
    await idle.closed;
    await silent.closed;
    await events.text();
    expect(room.listeners()).toBe(0);
  });

  test("a spine that does not end is not waited for", async () => {
    room.script = ({ emit }) => emit(text("a"));
    const client = await openRaw(room.port, rawChat(streamed));
    await client.until('"content":"a"');
    client.socket.pause();
    await room.http.close(0);
    client.socket.destroy();
  });

  test("answers begun while stopping close their connection", async () => {
    const stream = room.post(streamed);
    const performance = await room.next();
    performance.emit(text("a"));
    await stream;
    const closed = room.http.close(10_000);
    const client = await openRaw(room.port, "GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    expect(await client.closed).toMatch(/^HTTP\/1\.1 503 [\s\S]*connection: close/i);
    performance.emit(aborted);
    await closed;
  });

  test("closing what never listened is fine", async () => {
    room.http.server.close();
    await once(room.http.server, "close");
    await room.http.close(1000);
  });
});

test("100 clients cut in the middle leave nothing behind", async () => {
  let running = 0;
  room.script = (performance) => {
    running += 1;
    performance.emit(text("a"));
    void performance.left.then(() => {
      running -= 1;
    });
  };
  const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw(room.port, rawChat(streamed))));
  await Promise.all(clients.map((client) => client.until('"content":"a"')));
  expect(running).toBe(100);
  for (const client of clients) client.socket.destroy();
  await eventually(() => running === 0);
});

/** One call to a market, beside a server that answers what it is told to. */
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createUpstreamFetch } from "../../../../server/platform/upstream/upstream-fetch.ts";
import { callMarket, type MarketCall } from "../../../../server/rental/markets/call.ts";
import { manualClock } from "../../../support/manual-clock.ts";

interface Answer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: string;
}

const nowMs = Date.UTC(2026, 10, 27, 12);
const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
let server: Server;
let answer: Answer;
let asked: IncomingHttpHeaders = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked = request.headers;
    const date = new Date(nowMs).toUTCString();
    response.writeHead(answer.status, { date, "content-type": "application/json", ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => {
  answer = { status: 200, headers: {}, body: "{}" };
});
afterAll(async () => {
  await upstream.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function call(change: Partial<Answer> = {}, heard?: MarketCall["heard"]) {
  Object.assign(answer, change);
  const clock = manualClock(nowMs);
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wire = { title: "The market", baseUrl, secret: "the-account-key", upstream, clock };
  const wish: MarketCall = { method: "GET", path: "/list", ...(heard === undefined ? {} : { heard }) };
  return callMarket(wire, wish, new AbortController().signal);
}

describe("what is no answer", () => {
  test("S-18 an old copy decides nothing: kept by a cache for a day, or dated so", async () => {
    await expect(call({ headers: { age: "86400" } })).rejects.toMatchObject({
      code: "upstream_failed",
      message: expect.stringContaining("24 h"),
    });
    const dayAgo = new Date(nowMs - 86_400_000).toUTCString();
    await expect(call({ headers: { date: dayAgo } })).rejects.toMatchObject({ code: "upstream_failed" });
    expect(asked["cache-control"]).toBe("no-cache");
  });

  test("S-18 a clock that is wrong by an hour is said and borne, and a copy of a minute is fresh", async () => {
    const hourBehind = new Date(nowMs - 3_600_000).toUTCString();
    expect((await call({ headers: { date: hourBehind } })).skewMs).toBe(-3_600_000);
    const hourAhead = new Date(nowMs + 3_600_000).toUTCString();
    expect((await call({ headers: { date: hourAhead } })).skewMs).toBe(3_600_000);
    expect((await call({ headers: { date: new Date(nowMs).toUTCString(), age: "60" } })).atMs).toBe(nowMs);
  });

  test("S-18 a page of HTML is none under any status, not even where that status would mean that something is gone", async () => {
    const html = { headers: { "content-type": "text/html" }, body: "<html>404</html>" };
    for (const status of [200, 404, 409, 502]) {
      await expect(call({ ...html, status })).rejects.toMatchObject({ code: "upstream_failed" });
    }
  });

  test("a redirect is not followed: the key stays here", async () => {
    await expect(call({ status: 302, headers: { location: "http://127.0.0.1:9/" } })).rejects.toMatchObject({
      code: "upstream_failed",
    });
  });

  test("a 429 says how long to wait, in seconds, as a date, or not at all; the key is never repeated", async () => {
    const told = (headers: OutgoingHttpHeaders) => call({ status: 429, headers, body: "the-account-key is too fast" });
    await expect(told({ "retry-after": "12" })).rejects.toMatchObject({
      ...{ code: "upstream_rate_limited", coolDownMs: 12_000, retryAfterSeconds: 12 },
      message: expect.not.stringContaining("the-account-key"),
    });
    const inAMinute = new Date(nowMs + 60_000).toUTCString();
    await expect(told({ "retry-after": inAMinute })).rejects.toMatchObject({ coolDownMs: 60_000 });
    await expect(told({})).rejects.toMatchObject({ code: "upstream_rate_limited", coolDownMs: null });
    await expect(call({ status: 429, body: "Please slow down." })).rejects.toThrow(/\(429\): Please slow down\.$/);
  });
});

describe("what is one", () => {
  test("numbers keep their digits, and a NaN spoils its own entry only", async () => {
    const { body } = await call({
      body: '{"a": 0.100000000000000000001, "b": NaN, "c": [-Infinity, 1], "d": "x: NaN, y"}',
    });
    expect(body).toEqual({ a: "0.100000000000000000001", b: "NaN", c: ["-Infinity", "1"], d: "x: NaN, y" });
  });

  test("statuses that mean something to whoever asks are heard, others are failures", async () => {
    expect((await call({ status: 404, body: '{"error": "no such instance"}' })).status).toBe(404);
    expect((await call({ status: 404, headers: { "content-type": "text/plain" }, body: "gone" })).body).toBeNull();
    await expect(call({ status: 410 })).rejects.toMatchObject({ code: "upstream_invalid_request" });
    expect((await call({ status: 410, body: '{"error":"no_such_ask"}' }, [404, 410])).body).toEqual({
      error: "no_such_ask",
    });
  });
});

/** What is not quite HTTP, or too much of it: one answer at most, and never a second request out of the first. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { globSync, readFileSync } from "node:fs";
import { eventually, finished, hello, openRaw, openRoom, type Room, rawChat, text } from "./room.ts";

let room: Room;
/** Chats that reached the spine. */
let executed = 0;
beforeAll(async () => {
  room = await openRoom();
});
afterAll(() => room.close());
beforeEach(() => {
  executed = 0;
  room.script = ({ emit }) => {
    executed += 1;
    emit(text("ok"), finished);
  };
});

const json = JSON.stringify(hello);
/** A complete second request, which must never be taken for one. */
const hidden = rawChat(hello);
const head = (...lines: string[]) =>
  ["POST /v1/chat/completions HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", ...lines, "", ""].join(
    "\r\n",
  );
const answersIn = (received: string) => received.match(/HTTP\/1\.1 \d{3}/g) ?? [];

describe("S-35 framing", () => {
  const chunk = (content: string) => `${content.length.toString(16)}\r\n${content}\r\n`;
  const whole = `${chunk(json)}0\r\n\r\n`;
  const table: [what: string, bytes: string][] = [
    [
      "content-length and transfer-encoding",
      head(`Content-Length: ${json.length}`, "Transfer-Encoding: chunked") + whole + hidden,
    ],
    ["an unknown transfer-encoding", head("Transfer-Encoding: xchunked") + whole + hidden],
    ["chunked, but not last", head("Transfer-Encoding: chunked, identity") + whole + hidden],
    ["two transfer-encodings", head("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + whole + hidden],
    ["two content-lengths", head(`Content-Length: ${json.length}`, "Content-Length: 5") + json + hidden],
    ["a content-length that is no number", head("Content-Length: 5x") + json + hidden],
    ["a space before the colon", head("Transfer-Encoding : chunked") + whole + hidden],
    ["a folded header", head("X-Note: a\r\n b", `Content-Length: ${json.length}`) + json + hidden],
    ["line feeds only", (head(`Content-Length: ${json.length}`) + json + hidden).replaceAll("\r\n", "\n")],
    ["a bad chunk size", `${head("Transfer-Encoding: chunked")}zz\r\n${json}\r\n0\r\n\r\n${hidden}`],
    ["a negative chunk size", `${head("Transfer-Encoding: chunked")}-1\r\n${json}\r\n0\r\n\r\n${hidden}`],
    ["a chunk that is longer than it says", `${head("Transfer-Encoding: chunked")}2\r\n${json}\r\n0\r\n\r\n${hidden}`],
    [
      "a chunk extension of a megabyte",
      `${head("Transfer-Encoding: chunked")}5;x=${"x".repeat(1024 * 1024)}\r\nhello\r\n0\r\n\r\n${hidden}`,
    ],
    [
      "transfer-encoding on HTTP/1.0",
      head("Transfer-Encoding: chunked").replace("HTTP/1.1", "HTTP/1.0") + whole + hidden,
    ],
    ["two hosts", head("Host: other", `Content-Length: ${json.length}`) + json + hidden],
    ["no host", `POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 0\r\n\r\n${hidden}`],
    ["a NUL in a header", head("X-Note: a\0b", `Content-Length: ${json.length}`) + json + hidden],
    ["no HTTP at all", `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${hidden}`],
    ["HTTP/2 without asking", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`],
    [
      "transfer-encoding before content-length",
      head("Transfer-Encoding: chunked", `Content-Length: ${json.length}`) + whole + hidden,
    ],
    ["chunked twice", head("Transfer-Encoding: chunked, chunked") + whole + hidden],
    ["a vertical tab before chunked", head("Transfer-Encoding: \x0bchunked") + whole + hidden],
    ["chunked in quotes", head('Transfer-Encoding: "chunked"') + whole + hidden],
    ["a folded transfer-encoding", head("Transfer-Encoding:\r\n chunked") + whole + hidden],
    ["a content-length with a sign", head(`Content-Length: +${json.length}`) + json + hidden],
    ["a content-length below zero", head("Content-Length: -1") + json + hidden],
    ["a content-length in hexadecimal", head("Content-Length: 0x10") + json + hidden],
    ["a content-length that is a list", head(`Content-Length: ${json.length}, ${json.length}`) + json + hidden],
    [
      "the same content-length twice",
      head(`Content-Length: ${json.length}`, `Content-Length: ${json.length}`) + json + hidden,
    ],
    ["a content-length that is empty", head("Content-Length: ") + json + hidden],
    ["a content-length past 64 bits", head("Content-Length: 18446744073709551617") + json + hidden],
    ["a chunk size with 0x", `${head("Transfer-Encoding: chunked")}0x5\r\nhello\r\n0\r\n\r\n${hidden}`],
    [
      "a chunk size past 64 bits",
      `${head("Transfer-Encoding: chunked")}1${"0".repeat(16)}5\r\nhello\r\n0\r\n\r\n${hidden}`,
    ],
    ["a chunk size with a space before it", `${head("Transfer-Encoding: chunked")} 5\r\nhello\r\n0\r\n\r\n${hidden}`],
    ["a chunk size ended by a line feed", `${head("Transfer-Encoding: chunked")}5\nhello\r\n0\r\n\r\n${hidden}`],
    ["a line feed in a chunk extension", `${head("Transfer-Encoding: chunked")}5;a\nb\r\nhello\r\n0\r\n\r\n${hidden}`],
    [
      "a content-length in a trailer",
      `${head("Transfer-Encoding: chunked")}${chunk(json)}0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    ],
    ["a header without a colon", head("X-Note a", `Content-Length: ${json.length}`) + json + hidden],
    ["a space in a header's name", head("X Note: a", `Content-Length: ${json.length}`) + json + hidden],
    ["a header without a name", head(": a", `Content-Length: ${json.length}`) + json + hidden],
    ["a carriage return in a header", head("X-Note: a\rb", `Content-Length: ${json.length}`) + json + hidden],
    ["carriage returns only", (head(`Content-Length: ${json.length}`) + json).replaceAll("\r\n", "\r") + hidden],
    ["a lower-case method", hidden.replace("POST", "post")],
    ["a version that is none", hidden.replace("HTTP/1.1", "HTTP/1.2") + hidden],
    ["no version", hidden.replace(" HTTP/1.1", "") + hidden],
    ["a space in the path", hidden.replace("/v1/", "/v1 /") + hidden],
    ["a NUL in the path", hidden.replace("/v1/", "/v1\0/") + hidden],
    [
      "two keys",
      head("Authorization: Bearer a", "Authorization: Bearer b", `Content-Length: ${json.length}`) + json + hidden,
    ],
    [
      "two keys of the other kind",
      head("X-Api-Key: a", "X-Api-Key: b", `Content-Length: ${json.length}`) + json + hidden,
    ],
    ["two content-types", head("Content-Type: text/plain", `Content-Length: ${json.length}`) + json + hidden],
    ["two origins", head("Origin: a", "Origin: b", `Content-Length: ${json.length}`) + json + hidden],
  ];
  test.each(table)("%s", async (_what, bytes) => {
    const client = await openRaw(room.port, bytes);
    const received = await client.closed;
    expect(answersIn(received).length).toBeLessThanOrEqual(1);
    expect(received).toMatch(/^$|^HTTP\/1\.1 (400|413) /);
    expect(executed).toBe(0);
  });

  test("a hundred thousand empty lines before a request are not read for ever", async () => {
    const client = await openRaw(room.port, "\r\n".repeat(100_000));
    client.socket.end();
    expect(answersIn(await client.closed).length).toBeLessThanOrEqual(1);
    expect(executed).toBe(0);
  });

  test("trailers say nothing: what would be a header there is dropped", async () => {
    const trailers = `0\r\nAuthorization: Bearer lth_wrong\r\nHost: evil.example\r\n\r\n`;
    const client = await openRaw(
      room.port,
      `${head("Transfer-Encoding: chunked", "Trailer: Host")}${chunk(json)}${trailers}`,
    );
    expect(await client.until("chatcmpl")).toMatch(/^HTTP\/1\.1 200 /);
    expect(executed).toBe(1);
    client.socket.destroy();
  });

  test("a body on a route that wants none is read away, and the next request is the next request", async () => {
    const get = `GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
    const client = await openRaw(room.port, get + get);
    await eventually(() => answersIn(client.received()).length === 2);
    expect(executed).toBe(0);
    client.socket.destroy();
  });

  test("the lenient parser is asked for nowhere", () => {
    const sources = ["server", "build", "electron"].flatMap((folder) => {
      const root = new URL(`../../../${folder}/`, import.meta.url);
      return globSync("**/*.{ts,js}", { cwd: root }).map((name) => new URL(name, root));
    });
    expect(sources.length).toBeGreaterThan(100);
    const lenient = sources.filter((file) =>
      /insecureHTTPParser|insecure-http-parser/i.test(readFileSync(file, "utf8")),
    );
    expect(lenient.map(String)).toEqual([]);
  });

  test("two requests that are whole are two answers, in order, on one connection", async () => {
    const client = await openRaw(room.port, hidden + hidden);
    await eventually(() => answersIn(client.received()).length === 2);
    expect(answersIn(client.received())).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
    expect(executed).toBe(2);
    client.socket.destroy();
  });

  test("rubbish after a running stream cuts it and writes nothing into it", async () => {
    room.script = null;
    const client = await openRaw(room.port, rawChat({ ...hello, stream: true }));
    const performance = await room.next();
    performance.emit(text("a"));
    await client.until('"content":"a"');
    client.socket.write("rubbish\r\n\r\n");
    const received = await client.closed;
    await performance.left;
    expect(answersIn(received)).toEqual(["HTTP/1.1 200"]);
  });
});

describe("S-31 HTTP limits", () => {
  test("headers of 20 kB are 431", async () => {
    const client = await openRaw(room.port, head(`X-Long: ${"x".repeat(20_000)}`));
    expect(await client.closed).toMatch(/^HTTP\/1\.1 431 [\s\S]*"error"/);
  });

  test("a body announced as too large is refused before any of it is read", async () => {
    const client = await openRaw(room.port, head("Content-Length: 104857600"));
    expect(await client.until("payload_too_large")).toMatch(/^HTTP\/1\.1 413 /);
    client.socket.destroy();
  });

  test("a body that grows too large is refused when it does, and its sender still reads the answer", async () => {
    const client = await openRaw(room.port, head("Transfer-Encoding: chunked"));
    const piece = `10000\r\n${"x".repeat(65_536)}\r\n`;
    for (let sent = 0; sent < 64 && !client.socket.destroyed; sent += 1) client.socket.write(piece);
    expect(await client.until("payload_too_large")).toMatch(/^HTTP\/1\.1 413 /);
    client.socket.destroy();
  });

  test("100 MB sent regardless cost no memory to speak of and are not read to the end", async () => {
    const before = process.memoryUsage().rss;
    const client = await openRaw(room.port, head("Content-Length: 104857600"));
    const piece = Buffer.alloc(1024 * 1024, "x");
    for (let sent = 0; sent < 100 && !client.socket.destroyed; sent += 1) {
      if (!client.socket.write(piece))
        await new Promise((resolve) => {
          client.socket.once("drain", resolve);
          client.socket.once("close", resolve);
        });
    }
    expect(client.received()).toMatch(/^HTTP\/1\.1 413 /);
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024);
    client.socket.destroy();
  });

  test("headers that never end are cut", async () => {
    const client = await openRaw(room.port, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    expect(await client.closed).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("a body that trickles is refused and cut", async () => {
    const client = await openRaw(room.port, `${head("Content-Length: 1000")}{`);
    expect(await client.closed).toMatch(/^HTTP\/1\.1 400 [\s\S]*too slowly/);
    expect(executed).toBe(0);
  });

  test("many one-byte chunks are a body like any other", async () => {
    const bytes = [...json].map((one) => `1\r\n${one}\r\n`).join("");
    const client = await openRaw(room.port, `${head("Transfer-Encoding: chunked")}${bytes}0\r\n\r\n`);
    expect(await client.until("chatcmpl")).toMatch(/^HTTP\/1\.1 200 /);
    client.socket.destroy();
  });
});

describe("expect: 100-continue", () => {
  test("is answered once the headers are accepted", async () => {
    const client = await openRaw(room.port, head(`Content-Length: ${json.length}`, "Expect: 100-continue"));
    await client.until("100 Continue");
    client.socket.write(json);
    expect(await client.until("chatcmpl")).toContain("HTTP/1.1 200");
    client.socket.destroy();
  });

  test("is refused for a body that would not be read", async () => {
    const client = await openRaw(room.port, head("Content-Length: 104857600", "Expect: 100-continue"));
    const received = await client.closed;
    expect(answersIn(received)).toEqual(["HTTP/1.1 413"]);
  });
});

test("TRACE and CONNECT are refused, and what is upgraded elsewhere is an ordinary request here", async () => {
  const trace = await openRaw(room.port, "TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Secret: 1\r\n\r\n");
  expect(await trace.until("method_not_allowed")).not.toContain("X-Secret");
  trace.socket.destroy();
  const connect = await openRaw(room.port, "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n");
  expect(await connect.closed).not.toMatch(/^HTTP\/1\.1 2/);
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13";
  const socket = await openRaw(room.port, `GET /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}\r\n\r\n`);
  expect(await socket.until("method_not_allowed")).toMatch(/^HTTP\/1\.1 405 /);
  socket.socket.destroy();
});

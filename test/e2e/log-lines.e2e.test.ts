/** S-36: whatever clients send, the log of the real process stays one JSON object a line, with nothing that draws. */
import { connect } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { naughtyStrings } from "../support/naughty-strings.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";

const hostile = '\r\n\x1b[2J\x1b]0;owned\x07\x7f\u009b2J\u2028\u202e{"level":"info","msg":"forged"}';

let server: RunningServer;
let admin: string;
beforeAll(async () => {
  server = await startServer({ flags: ["--log-level", "debug"] });
  admin = readFileSync(join(server.home, "admin.key"), "utf8").trim();
});
afterAll(() => server.remove());

/** Sends bytes as they are and reads until the server closes or says nothing more for a while. */
async function raw(bytes: string): Promise<void> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.end(bytes, "latin1");
  await once(socket, "close");
}

test("S-36 lines stay lines", async () => {
  const chat = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const messages = [{ role: "user", content: hostile }];
  await chat({ model: hostile, messages });
  await chat({ model: "lanthorn-demo", messages: [{ role: hostile, content: hostile }], [hostile]: hostile });
  await chat({ model: "lanthorn-demo", messages, tools: [{ type: hostile, function: { name: hostile } }] });
  await chat({ model: "lanthorn-demo", messages, max_tokens: 1, user: hostile });
  await chat(hostile);
  await chat(`{"model":"${hostile}`);
  await chat({ model: "x", messages }, { authorization: "Bearer lth_\u0080\u009b2J" });
  for (const one of naughtyStrings.filter((_, index) => index % 10 === 0)) await chat({ model: one, messages });
  for (const method of ["POST", "DELETE"]) {
    const path = `/admin/keys${method === "DELETE" ? `/${encodeURIComponent(hostile)}` : ""}`;
    const headers = { authorization: `Bearer ${admin}`, "content-type": "application/json" };
    const body = method === "POST" ? JSON.stringify({ name: hostile, label: hostile }) : null;
    await fetch(server.url + path, { method, headers, body });
  }
  for (const bytes of [
    "GET /\x1b[2J HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /%0d%0a%1b%5b2J HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "GET /v1/models/%1b%5b2J HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: \x1b[2J\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: \x9b2J\xe2\x80\xae\r\nOrigin: \x9b\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX\x1b[2J: a\r\n\r\n",
    "\x1b[2J\r\n\r\n",
  ]) {
    await raw(bytes);
  }
  expect(await server.stop()).toBe(0);

  // What is said to the person at the terminal is no line of the log.
  const lines = server
    .stderr()
    .split("\n")
    .filter((line) => !line.startsWith("Stopping: "));
  expect(lines.pop()).toBe("");
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(JSON.parse(line), line).toMatchObject({ level: expect.any(String), msg: expect.any(String) });
    expect(JSON.parse(line)).not.toMatchObject({ msg: "forged" });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
  }
  expect(server.stderr()).not.toContain(admin);
});

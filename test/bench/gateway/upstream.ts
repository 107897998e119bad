/**
 * The provider behind the gateways, a process of its own: answers every POST as its model's name says (`script.ts`), and GET
 * with 200. Written on plain sockets, because on two cores what it costs is taken from whom it answers.
 * Started as `node upstream.ts <port>`; ends with its parent's SIGTERM.
 */
import { createServer, type Socket } from "node:net";
import { HttpReader } from "./http-reader.ts";
import { monotonicUs, type Script, scriptOf, stampText, type StreamScript } from "./script.ts";

const wholeHead = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const nothing = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
const usage = `{"prompt_tokens":12,"completion_tokens":4,"total_tokens":16}`;

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), "127.0.0.1");

function serve(socket: Socket): void {
  let method = "";
  let body = "";
  socket.on("error", () => socket.destroy());
  const reader = new HttpReader({
    head: (text) => {
      method = text.slice(0, text.indexOf(" "));
      body = "";
    },
    body: (piece) => {
      body += piece.toString("latin1");
    },
    end: () => {
      const script = method === "POST" ? scriptOf(body) : null;
      if (script === null) socket.write(method === "GET" ? nothing : refusal);
      else answer(socket, script, body);
    },
  });
  socket.on("data", (bytes) => reader.push(bytes));
}

function answer(socket: Socket, script: Script, body: string): void {
  const receivedUs = monotonicUs();
  if (script.kind === "stream") {
    stream(socket, script, receivedUs, /"include_usage":\s*true/.test(body));
    return;
  }
  const send = () => {
    const stamp = stampText({ number: 0, receivedUs, sentUs: monotonicUs() });
    const text =
      `{"id":"chatcmpl-stub","object":"chat.completion","created":1700000000,"model":"${modelOf(script)}","choices":[{"index":0,` +
      `"message":{"role":"assistant","content":"${stamp}","refusal":null},"finish_reason":"stop"}],"usage":${usage}}`;
    socket.write(`${wholeHead}content-length: ${text.length}\r\n\r\n${text}`);
  };
  if (script.holdMs === 0) send();
  else setTimeout(send, script.holdMs);
}

function modelOf(script: Script): string {
  return script.kind === "whole" ? `whole-${script.holdMs}` : `stream-${script.frames}-${script.paceMs}`;
}

function stream(socket: Socket, script: StreamScript, receivedUs: number, withUsage: boolean): void {
  const head = `{"id":"chatcmpl-stub","object":"chat.completion.chunk","created":1700000000,"model":"${modelOf({ kind: "stream", ...script })}","choices":`;
  const frame = (choices: string, rest = "") => `data: ${head}${choices}${rest}}\n\n`;
  const delta = (inner: string, reason: string) => frame(`[{"index":0,"delta":${inner},"finish_reason":${reason}}]`);
  let number = 0;
  socket.write(streamHead + chunked(delta(`{"role":"assistant","content":""}`, "null")));
  const next = () => {
    if (socket.destroyed) return;
    const stamp = stampText({ number, receivedUs, sentUs: monotonicUs() });
    socket.write(chunked(delta(`{"content":"${stamp}"}`, "null")));
    number += 1;
    if (number === script.frames) {
      const end = delta("{}", `"stop"`) + (withUsage ? frame("[]", `,"usage":${usage}`) : "");
      socket.write(`${chunked(`${end}data: [DONE]\n\n`)}0\r\n\r\n`);
      return;
    }
    // By the time it began, so that a late timer does not put off all that follow.
    setTimeout(next, Math.max(0, receivedUs / 1000 + (number + 1) * script.paceMs - monotonicUs() / 1000));
  };
  setTimeout(next, script.paceMs);
}

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

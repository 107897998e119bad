/**
 * The stub behind both gateways: a process that answers every POST with one fixed chat completion, and GET with 200.
 * Started as `node upstream.ts <port>`; ends with its parent's SIGTERM. Its cost is the same for both gateways.
 */
import { createServer } from "node:http";

const answer = Buffer.from(
  JSON.stringify({
    id: "chatcmpl-stub",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "stub",
    choices: [
      { index: 0, message: { role: "assistant", content: "A fixed answer.", refusal: null }, finish_reason: "stop" },
    ],
    usage: { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 },
  }),
);
const headers = { "content-type": "application/json", "content-length": String(answer.length) };

const server = createServer((request, response) => {
  request.resume();
  if (request.method !== "POST") {
    response.writeHead(200).end();
    return;
  }
  request.on("end", () => response.writeHead(200, headers).end(answer));
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), "127.0.0.1");

/**
 * Stands where `build/lanthorn.js` stands, for tests of the shell: answers as the real server does, and dies when told. What it
 * sees is written to STUB_RECORD, one JSON object a line.
 */
const { appendFileSync } = require("node:fs");
const { createServer } = require("node:http");

const record = (entry) => appendFileSync(process.env.STUB_RECORD, `${JSON.stringify(entry)}\n`);
record({ started: process.pid, arguments: process.argv.slice(2), home: process.env.LANTHORN_HOME });

if (process.env.STUB_REFUSES) {
  console.error('{"level":30,"msg":"a line of the log"}');
  console.error(process.env.STUB_REFUSES);
  process.exit(78);
}

const server = createServer((request, response) => {
  if (request.url === "/crash") process.exit(1);
  let body = "";
  request.on("data", (piece) => {
    body += piece;
  });
  request.on("end", () => {
    record({ method: request.method, url: request.url, body });
    response.setHeader("set-cookie", "session=1; HttpOnly");
    response.end("{}");
  });
});
process.on("disconnect", () => {
  record({ asked: "to stop" });
  process.exit(0);
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ type: "ready", url: `http://127.0.0.1:${server.address().port}`, pid: process.pid }));
});

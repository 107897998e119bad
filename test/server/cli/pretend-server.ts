/**
 * Started by stop.test.ts: holds a data folder and answers like a server, without one. `node pretend-server.ts <mode>` with
 * LANTHORN_HOME set; says `ready` over its channel. Modes: `polite` stops when asked, `deaf` refuses the request and stops on
 * SIGTERM, `stuck` ignores both.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { takeDataLock } from "../../../server/platform/data-lock.ts";
import { createDataFolder, dataPaths } from "../../../server/platform/paths.ts";
import { removeServerFile, writeServerFile } from "../../../server/platform/server-file.ts";

const mode = process.argv[2];
const paths = dataPaths(process.env);
createDataFolder(paths);
if (!takeDataLock(paths).taken) process.exit(1);

const leave = () => {
  removeServerFile(paths.serverFile);
  process.exit(0);
};
if (mode === "stuck") process.on("SIGTERM", () => {});
else process.on("SIGTERM", leave);

const server = createServer((request, response) => {
  request.resume();
  if (mode === "polite" && request.url === "/admin/stop") {
    response.writeHead(202, { "content-type": "application/json" }).end('{"stopping":true}', leave);
    return;
  }
  response.writeHead(401, { "content-type": "application/json" });
  response.end('{"error":{"message":"Unknown key.","code":"unknown_key"}}');
});
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeServerFile(paths.serverFile, { pid: process.pid, url, startedAtMs: Date.now() });
  process.send?.("ready");
});

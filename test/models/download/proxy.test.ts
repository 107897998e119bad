/** A download where the only way out is a proxy: it carries every call, and it alone looks names up. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createUpstreamFetch } from "../../../server/platform/upstream/upstream-fetch.ts";
import { mebibyte, stage } from "../../support/download-stage.ts";
import { writeFilledGguf } from "../../support/filled-gguf.ts";
import { startHub } from "../../support/hub/hub.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** Takes every name for this machine. */
async function proxy() {
  const names = new Set<string>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    const [name = "", port] = (request.url ?? "").split(":");
    names.add(name);
    const onward = connect(Number(port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [client, onward]) socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, names };
}

test("through the proxy, with no name looked up here and no token in the clear", async () => {
  const folder = temporaryFolder();
  writeFilledGguf(join(folder, "acme/coder-GGUF/coder-Q4_K_M.gguf"), 3 * mebibyte);
  const hub = await startHub({ folder, storageName: "storage.example" });
  onTestFinished(() => hub.close());
  const { url, names } = await proxy();
  const upstream = createUpstreamFetch({ environment: { HTTP_PROXY: url }, caFile: "" });
  onTestFinished(() => upstream.close());
  const lookedUp: string[] = [];
  const here = await stage(hub, {
    options: {
      upstream,
      hub: () => ({ endpoint: new URL(hub.url.replace("127.0.0.1", "hub.example")), token: "hf_secret" }),
      lookup: async (name) => {
        lookedUp.push(name);
        return [];
      },
    },
  });
  expect(await here.pull()).toMatchObject({ state: "done", trouble: null });
  expect([...names].sort()).toEqual(["hub.example", "storage.example"]);
  expect(lookedUp).toEqual([]);
  expect([...hub.meter.hosts.values()].map(({ withToken }) => withToken)).toEqual([0, 0]);
});

/** The one way out, through a real CONNECT proxy to a server whose authority only this company knows. All on loopback. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { caFilePath } from "../../../../server/platform/upstream/authorities.ts";
import { createUpstreamFetch, type UpstreamSettings } from "../../../../server/platform/upstream/upstream-fetch.ts";
import { type PrivateAuthority, privateAuthority } from "../../../support/certificates.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

let known: PrivateAuthority;
beforeAll(async () => {
  known = await privateAuthority(["hub.example", "127.0.0.1"]);
});

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of somebody else; remembers the headers it saw. */
async function upstream(handle: RequestListener = (_request, response) => response.end("hello")) {
  const seen: IncomingMessage[] = [];
  const server = createTlsServer({ cert: known.leaf.cert, key: known.leaf.key }, (request, response) => {
    seen.push(request);
    handle(request, response);
  });
  return { port: await listening(server), seen };
}

/** A proxy that takes every name for this machine, as the one way to a world that is not there. */
async function connectProxy() {
  const asked: { target: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ target: `${request.method} ${request.url}`, authorization: request.headers["proxy-authorization"] });
    response.end("from the proxy");
  });
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    asked.push({ target: `CONNECT ${request.url}`, authorization: request.headers["proxy-authorization"] });
    const port = Number(request.url?.split(":")[1]);
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [client, onward]) socket.on("error", () => socket.destroy());
  });
  return { port: await listening(server), asked };
}

function fetcher(settings: Partial<UpstreamSettings> = {}) {
  const upstreamFetch = createUpstreamFetch({ environment: {}, caFile: "", ...settings });
  onTestFinished(() => upstreamFetch.close());
  return upstreamFetch;
}

function authorityFile(): string {
  const file = join(temporaryFolder(), "company.pem");
  writeFileSync(file, `# the company's own\n${known.authority.cert}\n`);
  return file;
}

describe("certificate authorities of the owner", () => {
  test.each(["caFile", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])(
    "%s is trusted; without it the call fails",
    async (where) => {
      const { port } = await upstream();
      const url = `https://127.0.0.1:${port}/`;
      await expect(fetcher().fetch(url)).rejects.toThrow();
      const file = authorityFile();
      const way = fetcher(where === "caFile" ? { caFile: file } : { environment: { [where]: file } });
      expect(await (await way.fetch(url)).text()).toBe("hello");
    },
  );

  test("a file that cannot be used is said by name, and does not matter to a call without TLS", async () => {
    const rubbish = join(temporaryFolder(), "rubbish.pem");
    writeFileSync(rubbish, "rubbish");
    const way = fetcher({ environment: { SSL_CERT_FILE: rubbish } });
    await expect(way.fetch("https://127.0.0.1:1/")).rejects.toMatchObject({
      code: "cannot_start",
      message: expect.stringContaining(`SSL_CERT_FILE cannot be used: ${rubbish}`),
    });
    const port = await listening(createServer((_request, response) => response.end("plain")));
    expect(await (await way.fetch(`http://127.0.0.1:${port}/`)).text()).toBe("plain");
  });
});

describe("proxies", () => {
  test("an https call goes through CONNECT, with the proxy's password for the proxy only", async () => {
    const { port, seen } = await upstream();
    const proxy = await connectProxy();
    const environment = { HTTPS_PROXY: `http://me:secret@127.0.0.1:${proxy.port}` };
    const way = fetcher({ environment, caFile: authorityFile() });
    const answer = await way.fetch(`https://hub.example:${port}/models`, { headers: { authorization: "Bearer hub" } });
    expect(await answer.text()).toBe("hello");
    const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    expect(proxy.asked).toEqual([{ target: `CONNECT hub.example:${port}`, authorization: basic }]);
    expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer hub", host: `hub.example:${port}` });
    expect(seen[0]?.headers).not.toHaveProperty("proxy-authorization");
  });

  test("an http call is handed to the proxy whole; NO_PROXY and this machine go past it", async () => {
    const proxy = await connectProxy();
    const { port } = await upstream();
    const environment = {
      HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      NO_PROXY: "no.example",
    };
    const way = fetcher({ environment, caFile: authorityFile() });
    expect(await (await way.fetch("http://hub.example/a?b=c")).text()).toBe("from the proxy");
    expect(proxy.asked.map(({ target }) => target)).toEqual(["GET http://hub.example/a?b=c"]);
    await expect(way.fetch("http://no.example.invalid./").then((answer) => answer.text())).resolves.toBe(
      "from the proxy",
    );
    expect(await (await way.fetch(`https://127.0.0.1:${port}/`)).text()).toBe("hello");
    expect(proxy.asked).toHaveLength(2);
  });
});

test("a redirect is an answer: no header reaches a host that the caller did not name", async () => {
  const elsewhere = await upstream();
  const { port } = await upstream((_request, response) =>
    response.writeHead(302, { location: `https://127.0.0.1:${elsewhere.port}/` }).end(),
  );
  const answer = await fetcher({ caFile: authorityFile() }).fetch(`https://127.0.0.1:${port}/`, {
    headers: { "x-api-key": "secret" },
  });
  expect(answer.status).toBe(302);
  expect(elsewhere.seen).toEqual([]);
});

describe("a pinned server", () => {
  const pinOf = () => new X509Certificate(known.leaf.cert).fingerprint256;

  test("is known by its certificate, whoever signed it and whatever its name, and never through a proxy", async () => {
    const { port } = await upstream();
    const way = fetcher({ fingerprint: pinOf(), environment: { HTTPS_PROXY: "http://127.0.0.1:1" } });
    expect(await (await way.fetch(`https://localhost:${port}/`)).text()).toBe("hello");
  });

  test("with another certificate gets nothing, not even the headers", async () => {
    const { port, seen } = await upstream();
    const way = fetcher({ fingerprint: pinOf().replace(/^../, "00"), caFile: authorityFile() });
    const failure = await way
      .fetch(`https://127.0.0.1:${port}/`, { headers: { authorization: "Bearer secret" } })
      .catch((thrown: Error) => thrown.cause);
    expect(failure).toMatchObject({ name: "WrongFingerprint", shown: pinOf() });
    expect(seen).toEqual([]);
  });
});

test("a relative network.caFile lies in the data folder", () => {
  expect(caFilePath("own.pem", "/srv/lanthorn")).toBe("/srv/lanthorn/own.pem");
  expect(caFilePath("/etc/own.pem", "/srv/lanthorn")).toBe("/etc/own.pem");
  expect(caFilePath("", "/srv/lanthorn")).toBe("");
});

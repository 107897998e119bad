/** The same room behind TLS: the same bounds, nothing but TLS on its port, and names that need no trust in headers. */
import { once } from "node:events";
import { Agent, request as httpsRequest } from "node:https";
import { connect as connectPlain } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDataFolder, dataPaths } from "../../../server/platform/paths.ts";
import { ownCertificate } from "../../../server/platform/tls/own-certificate.ts";
import { wantedNames } from "../../../server/platform/tls/names.ts";
import { temporaryFolder } from "../../support/real-engine.ts";
import { finished, hello, openRoom, rawChat, type Room, text } from "./room.ts";

let room: Room;
let ca = "";
let executed = 0;
beforeAll(async () => {
  const folder = await temporaryFolder();
  const paths = dataPaths({ LANTHORN_HOME: folder.path });
  createDataFolder(paths);
  const names = wantedNames([], ["box.example:8443"]);
  const { material } = await ownCertificate(paths, names, Date.now());
  await folder.remove();
  ca = material.cert;
  room = await openRoom({ tls: material, settings: { hosts: ["box.example:8443"] } });
});
afterAll(() => room.close());
beforeEach(() => {
  executed = 0;
  room.script = ({ emit }) => {
    executed += 1;
    emit(text("ok"), finished);
  };
});

async function open(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: room.port, ca, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** Everything that is answered to `bytes` until the server closes. */
async function answerTo(bytes: string): Promise<string> {
  const socket = await open();
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  socket.on("error", () => {});
  const closed = once(socket, "close");
  socket.write(bytes, "latin1");
  await closed;
  return received;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(method: string, path: string, headers: Record<string, string>, body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ maxCachedSessions: 0 });
    const request = httpsRequest(
      { host: "127.0.0.1", port: room.port, method, path, headers, ca, agent, servername: "" },
      (response) => {
        let received = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          received += chunk;
        });
        response.on("end", () => {
          agent.destroy();
          resolve({ status: response.statusCode, headers: response.headers, body: received });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

const key = () => ({ authorization: `Bearer ${room.inferenceKey}` });
const json = { "content-type": "application/json" };

test("a chat over TLS is a chat", async () => {
  const answer = await ask("POST", "/v1/chat/completions", { ...json, ...key() }, JSON.stringify(hello));
  expect(answer.status).toBe(200);
  expect(executed).toBe(1);
});

describe("S-35 framing holds over TLS", () => {
  const whole = JSON.stringify(hello);
  const hidden = rawChat(hello);
  const head = (...lines: string[]) =>
    ["POST /v1/chat/completions HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", ...lines, "", ""].join(
      "\r\n",
    );
  const chunked = `${whole.length.toString(16)}\r\n${whole}\r\n0\r\n\r\n`;
  test.each([
    [
      "content-length and transfer-encoding",
      head("Content-Length: 5", "Transfer-Encoding: chunked") + chunked + hidden,
    ],
    ["an unknown transfer-encoding", head("Transfer-Encoding: xchunked") + chunked + hidden],
    ["two content-lengths", head(`Content-Length: ${whole.length}`, "Content-Length: 5") + whole + hidden],
    ["a space before the colon", head("Transfer-Encoding : chunked") + chunked + hidden],
    ["a folded header", head("X-Note: a\r\n b", `Content-Length: ${whole.length}`) + whole + hidden],
    ["line feeds only", (head(`Content-Length: ${whole.length}`) + whole + hidden).replaceAll("\r\n", "\n")],
    ["a bad chunk size", `${head("Transfer-Encoding: chunked")}zz\r\n${whole}\r\n0\r\n\r\n${hidden}`],
    ["transfer-encoding on HTTP/1.0", head("Transfer-Encoding: chunked").replace("1.1", "1.0") + chunked + hidden],
    ["two hosts", head("Host: other", `Content-Length: ${whole.length}`) + whole + hidden],
    ["HTTP/2 without asking", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`],
  ])("%s", async (_what, bytes) => {
    const received = await answerTo(bytes);
    expect((received.match(/HTTP\/1\.1 \d{3}/g) ?? []).length).toBeLessThanOrEqual(1);
    expect(received).toMatch(/^$|^HTTP\/1\.1 (400|413) /);
    expect(executed).toBe(0);
  });

  test("S-31 headers of 20 kB are 431, and headers that never end are cut", async () => {
    expect(await answerTo(head(`X-Long: ${"x".repeat(20_000)}`))).toMatch(/^HTTP\/1\.1 431 /);
    expect(await answerTo("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n")).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe("what is not TLS as it should be", () => {
  test.each([
    ["plain HTTP", rawChat(hello)],
    ["rubbish", "\x00\x01\x02rubbish\r\n\r\n"],
  ])("%s is closed without a word of ours, and the next client is served", async (_what, bytes) => {
    const socket = connectPlain(room.port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      received += chunk;
    });
    socket.on("error", () => {});
    const closed = once(socket, "close");
    socket.write(bytes, "latin1");
    await closed;
    expect(received).not.toContain("HTTP/");
    expect(executed).toBe(0);
    expect((await ask("GET", "/health", {})).status).toBe(200);
  });

  test("a handshake that never comes is cut like headers that never come", async () => {
    const startedMs = performance.now();
    const socket = connectPlain(room.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket.resume(), "close");
    // The room's limit for headers is a second.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  test("TLS 1.1 is refused; 1.2 and 1.3 are spoken, and HTTP/1.1 is what is agreed on", async () => {
    const version = async (maxVersion: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") => {
      const low = maxVersion === "TLSv1.1" ? { minVersion: "TLSv1" as const, ciphers: "ALL@SECLEVEL=0" } : {};
      const socket = await open({ maxVersion, ...low, ALPNProtocols: ["h2", "http/1.1"] });
      const spoken = [socket.getProtocol(), socket.alpnProtocol];
      socket.destroy();
      return spoken;
    };
    await expect(version("TLSv1.1")).rejects.toThrow();
    expect(await version("TLSv1.2")).toEqual(["TLSv1.2", "http/1.1"]);
    expect(await version("TLSv1.3")).toEqual(["TLSv1.3", "http/1.1"]);
  });
});

describe("S-37 names behind TLS and a port", () => {
  const signedIn = async () => {
    const answer = await ask(
      "POST",
      "/sign-in",
      { ...json, host: "box.example:8443" },
      JSON.stringify({ key: room.adminKey }),
    );
    return String((answer.headers["set-cookie"] as string[])[0]);
  };

  test("the session's cookie never travels unencrypted", async () => {
    expect(await signedIn()).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
  });

  test("a name of `hosts:` is ours with its port, a foreign one is not, whatever X-Forwarded-* says", async () => {
    const cookie = (await signedIn()).split(";")[0] ?? "";
    const state = async (headers: Record<string, string>) =>
      (await ask("GET", "/admin/state", { cookie, ...headers })).status;
    const own = { host: "box.example:8443" };
    expect(await state(own)).toBe(200);
    expect(await state({ ...own, origin: "https://box.example:8443" })).toBe(200);
    expect(await state({ ...own, origin: "https://box.example:9999" })).toBe(403);
    const forwarded = {
      "x-forwarded-host": "box.example:8443",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "127.0.0.1",
      forwarded: "for=127.0.0.1;host=box.example;proto=https",
    };
    expect(await state({ host: "evil.example", ...forwarded })).toBe(403);
    expect(await state({ ...own, "x-forwarded-host": "evil.example" })).toBe(200);
  });

  test("wrong keys count for the socket's address, not for one that a header names", async () => {
    const statuses: (number | undefined)[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      const headers = { "x-api-key": `lth_wrong${tries}`, "x-forwarded-for": `10.0.0.${tries}` };
      statuses.push((await ask("GET", "/v1/models", headers)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
  });
});

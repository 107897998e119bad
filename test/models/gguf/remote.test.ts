/** The header of a file elsewhere: read in few pieces, and refused with a plain reason when the other side misbehaves. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readGgufHeader } from "../../../models/gguf/reader.ts";
import { readRemoteHeader, type RemoteHeader } from "../../../models/gguf/remote.ts";
import { shapeOf } from "../../../models/gguf/shape.ts";
import { writeRandomModel } from "../../../models/random/model.ts";
import { shapes } from "../../../models/random/shapes.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../../server/platform/upstream/upstream-fetch.ts";
import { type Answer, rangeServer, sendRange } from "../../support/range-server.ts";

/** About 2 MB, of which the header is a tenth: more than one piece. */
let file: Buffer;
let path: string;

beforeAll(async () => {
  const { mkdtempSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  path = join(mkdtempSync(join(tmpdir(), "lanthorn-test-")), "model.gguf");
  await writeRandomModel(path, shapes.tiny);
  file = readFileSync(path);
  return () => import("node:fs").then(({ rmSync }) => rmSync(join(path, ".."), { recursive: true, force: true }));
});

async function read(url: string, options: { token?: string; limitMs?: number } = {}): Promise<RemoteHeader> {
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  onTestFinished(() => upstream.close());
  const { token = null, limitMs } = options;
  return readRemoteHeader(url, { upstream, clock: systemClock, token, ...(limitMs === undefined ? {} : { limitMs }) });
}

/** The reason it is refused for. */
async function refusal(answer: Answer, options: { limitMs?: number } = {}): Promise<string> {
  const { address } = await rangeServer(answer);
  const thrown = await read(`${address}/model.gguf`, options).then(
    () => null,
    (failure: unknown) => failure,
  );
  expect(thrown).toMatchObject({ name: "Failure", code: "invalid_request" });
  return (thrown as Error).message;
}

describe("a header elsewhere", () => {
  test("is the header of the file, and little more than the header is fetched", async () => {
    const { address, asked } = await rangeServer((request, response) => sendRange(request, response, file));
    const remote = await read(`${address}/model.gguf`);
    const local = await readGgufHeader(path);
    expect(remote.header).toEqual(local);
    expect(shapeOf(remote.header)).toEqual(shapeOf(local));
    expect(remote.fetchedBytes).toBeLessThan(local.headerBytes + 600 * 1024);
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(asked.every(({ range }) => /^bytes=\d+-\d+$/.test(range ?? ""))).toBe(true);
  });

  test("comes in pieces that grow, so that a long one needs few questions", async () => {
    const long = Buffer.concat([longHeader(24 * 2 ** 20), Buffer.alloc(1024)]);
    const { address, asked } = await rangeServer((request, response) => sendRange(request, response, long));
    const { header } = await read(`${address}/model.gguf`);
    expect(header.headerBytes).toBeGreaterThan(23 * 2 ** 20);
    expect(asked.length).toBeLessThan(12);
  });

  test("behind a redirect: the Hub's words about it are kept, the token stays with the first host", async () => {
    const far = await rangeServer((request, response) => sendRange(request, response, file));
    const hub = await rangeServer((_, response) => {
      response
        .writeHead(302, {
          location: `${far.address}/blob?signed=1`,
          "x-linked-size": String(file.length),
          "x-linked-etag": `"${"ab".repeat(32)}"`,
          "x-repo-commit": "c".repeat(40),
        })
        .end();
    });
    const remote = await read(`${hub.address}/owner/repo/resolve/main/model.gguf`, { token: "hf_secret" });
    expect(remote).toMatchObject({ sha256: "ab".repeat(32), revision: "c".repeat(40) });
    expect(hub.asked.map(({ authorization }) => authorization)).toEqual(["Bearer hf_secret"]);
    expect(far.asked.length).toBeGreaterThan(0);
    expect(far.asked.filter(({ authorization }) => authorization !== null)).toEqual([]);
  });

  test("a relative redirect keeps the token; one that leads back does not give it back", async () => {
    const own = await rangeServer((request, response) => {
      if (request.url === "/old") response.writeHead(307, { location: "/new" }).end();
      else sendRange(request, response, file);
    });
    await read(`${own.address}/old`, { token: "hf_secret" });
    expect(new Set(own.asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer hf_secret"]));
    const elsewhere = await rangeServer((_, response) =>
      response.writeHead(302, { location: `${home.address}/back` }).end(),
    );
    const home = await rangeServer((request, response) => {
      if (request.url === "/there") response.writeHead(302, { location: elsewhere.address }).end();
      else sendRange(request, response, file);
    });
    await read(`${home.address}/there`, { token: "hf_secret" });
    expect(home.asked.map(({ url, authorization }) => [url, authorization])).toEqual(
      expect.arrayContaining([
        ["/there", "Bearer hf_secret"],
        ["/back", null],
      ]),
    );
  });

  test("a link that expires is asked for again, once", async () => {
    const long = Buffer.concat([longHeader(2 ** 20), Buffer.alloc(1024)]);
    let links = 0;
    const far = await rangeServer((request, response) => {
      // The first link works for one piece.
      if (request.url === "/1" && far.asked.filter(({ url }) => url === "/1").length > 1) response.writeHead(403).end();
      else sendRange(request, response, long);
    });
    const hub = await rangeServer((_, response) => {
      links += 1;
      response.writeHead(302, { location: `${far.address}/${links}` }).end();
    });
    expect((await read(`${hub.address}/model.gguf`)).header.headerBytes).toBeGreaterThan(900_000);
    expect(links).toBe(2);
  });
});

describe("is refused with a plain reason when the other side", () => {
  test("ignores the range", async () => {
    expect(await refusal((_, response) => response.writeHead(200).end(file))).toBe(
      "the server ignores the wish for a part and would send the whole file",
    );
  });

  test.each([
    ["another part", { "content-range": "bytes 1-100/2000" }, "the server sends another part than was asked for"],
    ["no word about the part", { "content-range": "" }, "the server does not say which part it sends"],
    ["an unknown length", { "content-range": "bytes 0-262143/*" }, "the server does not say which part it sends"],
    ["a web page", { "content-type": "text/html; charset=utf-8" }, "the server sends a web page instead of the file"],
    ["it compressed", { "content-encoding": "br" }, "the server sends it compressed, which cannot be cut"],
  ])("sends %s", async (_, headers, reason) => {
    const answer: Answer = (request, response) =>
      sendRange(request, response, file, (sent) => Object.assign(sent.headers, headers));
    expect(await refusal(answer)).toBe(reason);
  });

  test.each([
    ["fewer bytes than it says", (body: Uint8Array) => body.subarray(10), "the server sends less than it said"],
    [
      "more bytes than it says",
      (body: Uint8Array) => Buffer.concat([body, Buffer.alloc(9)]),
      "the server sends more than was asked for",
    ],
  ])("sends %s", async (_, spoil, reason) => {
    const answer: Answer = (request, response) =>
      sendRange(request, response, file, (sent) => {
        sent.body = spoil(sent.body);
      });
    expect(await refusal(answer)).toBe(reason);
  });

  test("changes the file between two pieces", async () => {
    const long = Buffer.concat([longHeader(2 ** 20), Buffer.alloc(1024)]);
    const answer: Answer = (request, response, index) =>
      sendRange(request, response, long, (sent) => {
        if (index > 0) sent.headers.etag = '"second"';
      });
    expect(await refusal(answer)).toBe("it changed on the server while its header was read");
  });

  test("is another file than the Hub says", async () => {
    const far = await rangeServer((request, response) => sendRange(request, response, file));
    const answer: Answer = (_, response) =>
      response.writeHead(302, { location: far.address, "x-linked-size": "5" }).end();
    expect(await refusal(answer)).toBe(`it is ${file.length} bytes long, but the Hub says 5`);
  });

  test("breaks the connection", async () => {
    const answer: Answer = (request, response) => {
      response.writeHead(206, { "content-range": `bytes 0-262143/${file.length}`, "content-length": "262144" });
      response.write(file.subarray(0, 1000), () => request.socket.destroy());
    };
    expect(await refusal(answer)).toBe("the connection broke while its header was read");
  });

  test("says nothing for too long", async () => {
    expect(await refusal(() => {}, { limitMs: 100 })).toBe("its header did not come within 100 ms");
  });

  test("redirects in a circle, or to nowhere", async () => {
    const circle: Answer = (_, response) => response.writeHead(302, { location: "/again" }).end();
    expect(await refusal(circle)).toBe("the server redirects more than 5 times");
    expect(await refusal((_, response) => response.writeHead(302).end())).toBe("the server redirects to nowhere");
    expect(await refusal((_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end())).toBe(
      "the server redirects to an address that is not secure",
    );
  });

  test.each([
    [403, { "x-error-code": "GatedRepo" }, /^its publisher wants its terms accepted first/],
    [401, {}, /a token may be needed \(HF_TOKEN\)$/],
    [404, { "x-error-code": "EntryNotFound" }, /^there is no such file in the repository$/],
    [404, {}, /^there is no such file or repository$/],
    [429, {}, /^the server has had enough questions for now/],
    [500, {}, /^the server answers 500$/],
  ])("answers %i %j", async (status, headers, reason) => {
    expect(await refusal((_, response) => response.writeHead(status, headers).end())).toMatch(reason);
  });

  test("sends something else than a model", async () => {
    const page = Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:…");
    expect(await refusal((request, response) => sendRange(request, response, page))).toMatch(/^it is not a GGUF file/);
  });

  test("has a header without end", async () => {
    const endless = longHeader(40 * 2 ** 20, 2 ** 40);
    expect(await refusal((request, response) => sendRange(request, response, endless))).toMatch(
      /accepted|truncated|more than is left/,
    );
  });
});

/** A right header with one text of `bytes`, or of a length that is only claimed. */
function longHeader(bytes: number, claimed = bytes): Buffer {
  const uint64 = (value: number): Buffer => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64LE(BigInt(value));
    return buffer;
  };
  const uint32 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8, 0, 0]);
  const entry = 64 * 1024;
  const count = Math.floor(bytes / (entry + 8));
  const texts = Array.from({ length: count }, () => Buffer.concat([uint64(entry), Buffer.alloc(entry, 97)]));
  return Buffer.concat([
    Buffer.from("GGUF"),
    uint32(3),
    uint64(0),
    uint64(1),
    uint64(5),
    Buffer.from("texts"),
    uint32(9),
    uint32(8),
    uint64(claimed === bytes ? count : claimed),
    ...texts,
    Buffer.alloc(9 * (entry + 8)),
  ]);
}

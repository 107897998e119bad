/** S-32: compressed bodies, right ones and those made to hurt, against a room with a body limit of one megabyte. */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { finished, hello, jsonOf, openRaw, openRoom, type Room, text } from "./room.ts";

let room: Room;
/** Prompts that reached the spine. */
let asked: string[] = [];
beforeAll(async () => {
  room = await openRoom();
});
afterAll(() => room.close());
beforeEach(() => {
  asked = [];
  room.script = ({ request, emit }) => {
    const [part] = request.messages[0]?.content ?? [];
    asked.push(part?.type === "text" ? part.text : "");
    emit(text("ok"), finished);
  };
});

const codings: readonly (readonly [coding: string, pack: (bytes: Buffer) => Buffer])[] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ["zstd", zstdCompressSync],
];

/** Text that does not shrink to nothing. */
function wordy(bytes: number): string {
  let words = "";
  for (let index = 0; words.length < bytes; index += 1) {
    words += `${createHash("sha256").update(String(index)).digest("hex")} `;
  }
  return words.slice(0, bytes);
}

const chat = (content: string) => Buffer.from(JSON.stringify({ ...hello, messages: [{ role: "user", content }] }));

async function send(body: Buffer, coding: string): Promise<{ status: number; code?: string; message?: string }> {
  const headers = { "content-type": "application/json", "content-encoding": coding };
  const response = await fetch(`${room.url}/v1/chat/completions`, { method: "POST", headers, body });
  const { error } = await jsonOf<{ error?: { code: string; message: string } }>(response);
  return { status: response.status, ...error };
}

describe.each(codings)("S-32 %s", (coding, pack) => {
  test("arrives whole, small and as large as the limit allows", async () => {
    for (const content of ["hi", "ž🏮".repeat(500), wordy(900_000)]) {
      expect(await send(pack(chat(content)), coding)).toEqual({ status: 200 });
      expect(asked.pop()).toBe(content);
    }
  });

  test("arrives in chunks of any size", async () => {
    const packed = pack(chat("hi"));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunks = [...packed].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join("");
    const client = await openRaw(room.port, `${head}${chunks}0\r\n\r\n`);
    await client.until("chatcmpl");
    expect(asked).toEqual(["hi"]);
    client.socket.destroy();
  });

  test("unpacks to more than the limit: 413", async () => {
    expect(await send(pack(chat(wordy(1_100_000))), coding)).toMatchObject({ status: 413, code: "payload_too_large" });
    expect(asked).toEqual([]);
  });

  test("cut off, damaged, empty, or followed by something: 400, and never half a body", async () => {
    const packed = pack(chat(wordy(5_000)));
    const damaged = Buffer.from(packed);
    damaged.fill(0x55, 20, 60);
    const broken = {
      cut: packed.subarray(0, -6),
      damaged,
      nothing: Buffer.alloc(0),
      plain: chat("hi"),
      followed: Buffer.concat([packed, Buffer.from("rest")]),
    };
    for (const [what, bytes] of Object.entries(broken)) {
      expect(await send(bytes, coding), what).toMatchObject({ status: 400, code: "invalid_request" });
    }
    expect(asked).toEqual([]);
  });

  test("a sender that leaves in the middle is a refused row and nothing else", async () => {
    room.refusals.length = 0;
    const packed = pack(chat(wordy(100_000)));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nContent-Length: ${packed.length}\r\n\r\n`;
    const client = await openRaw(room.port, head + packed.subarray(0, packed.length >> 1).toString("latin1"));
    client.socket.end();
    await client.closed;
    expect(room.refusals).toMatchObject([{ failure: { code: "invalid_request" } }]);
  });
});

describe("S-32 what is not read", () => {
  const packed = gzipSync(chat("hi"));

  test.each([
    "gzip, gzip",
    "br, gzip",
    "zstd,zstd",
    "gzip, identity",
    "compress",
    "lzma",
    "aws-chunked",
    "gzip;q=1",
    "",
  ])("%j is 415", async (coding) => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nContent-Length: ${packed.length}\r\n\r\n`;
    const client = await openRaw(room.port, head + packed.toString("latin1"));
    expect(await client.until("}}")).toMatch(/^HTTP\/1\.1 415 [\s\S]*gzip, deflate, br or zstd/);
    client.socket.destroy();
  });

  test("the coding named twice is 415", async () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`;
    const client = await openRaw(room.port, head + packed.toString("latin1"));
    expect(await client.until("}}")).toMatch(/^HTTP\/1\.1 415 /);
    client.socket.destroy();
  });

  test("deflate without its wrapper is 400", async () => {
    expect((await send(deflateRawSync(chat("hi")), "deflate")).status).toBe(400);
  });

  test("a zstd frame that asks for a window of 128 MiB is 400", async () => {
    const wide = zstdCompressSync(Buffer.alloc(40_000_000), { params: { [constants.ZSTD_c_windowLog]: 27 } });
    expect(await send(wide, "zstd")).toMatchObject({
      status: 400,
      message: expect.stringContaining("content-encoding"),
    });
  });

  test("answers are never compressed, whatever is accepted", async () => {
    const headers = { "accept-encoding": "gzip, br, zstd, deflate" };
    for (const stream of [true, false]) {
      const response = await room.post({ ...hello, stream }, { headers });
      expect(response.headers.get("content-encoding")).toBeNull();
      expect(await response.text()).toContain('"content":"ok"');
    }
  });
});

describe("S-32 bombs", () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  const bombs: readonly (readonly [what: string, coding: string, make: () => Buffer])[] = codings.flatMap(
    ([coding, pack]) => [
      [`10 MB of zeros as ${coding}`, coding, () => pack(zeros.subarray(0, 10_000_000))] as const,
      [`64 MiB of zeros as ${coding}`, coding, () => pack(zeros)] as const,
    ],
  );
  test.each(bombs)("%s is 413", async (_what, coding, make) => {
    expect(await send(make(), coding)).toMatchObject({ status: 413, code: "payload_too_large" });
  });

  test("one inside another is opened once and is then no JSON", async () => {
    const nested = gzipSync(gzipSync(zeros.subarray(0, 10_000_000)));
    expect(await send(nested, "gzip")).toMatchObject({ status: 400 });
    expect(await send(nested, "gzip, gzip")).toMatchObject({ status: 415 });
  });

  test("a list of a thousand frames is refused, not read up to the first", async () => {
    const frames = Buffer.concat(Array.from({ length: 1000 }, () => zstdCompressSync(chat("hi"))));
    expect(await send(frames, "zstd")).toMatchObject({ status: 400, message: expect.stringContaining("follows") });
    expect(asked).toEqual([]);
  });

  test("wrapping that holds nothing has the limit of a body", async () => {
    // Empty blocks of deflate: any number of bytes in, none out.
    const nothing = Buffer.concat([Buffer.from([0x78, 0x9c]), Buffer.alloc(0)]);
    const emptyBlock = Buffer.from([0, 0, 0, 0xff, 0xff]);
    const long = Buffer.concat([nothing, ...Array.from({ length: 230_000 }, () => emptyBlock)]);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const client = await openRaw(room.port, head);
    client.socket.write(`${long.length.toString(16)}\r\n`);
    client.socket.write(long);
    client.socket.write("\r\n");
    expect(await client.until("payload_too_large")).toMatch(/^HTTP\/1\.1 413 /);
    client.socket.destroy();
  });
});

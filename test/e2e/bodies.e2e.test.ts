/** Bodies that are meant to hurt, against the product as a process of its own, and what they cost it in memory. */
import { request } from "node:http";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canMeasure, peakGrowthBytes } from "../support/process-memory.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";

const MiB = 1024 * 1024;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--log-level", "error"] });
  // The first requests load what is loaded once.
  for (let index = 0; index < 20; index += 1) await post(Buffer.from('{"model":"nobody","messages":[]}'));
});
afterAll(() => server.remove());

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** `pieces` bodies of a megabyte without a length, or the whole buffer with one. */
function post(body: Buffer | number, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { "content-type": "application/json", ...headers } };
    const sent = request(`${server.url}/v1/chat/completions`, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, body: text }));
    });
    // After its answer the server closes on a client that goes on sending.
    sent.on("error", reject);
    if (typeof body !== "number") {
      sent.end(body);
      return;
    }
    const piece = Buffer.alloc(MiB, "x");
    let left = body;
    const next = () => {
      while (left > 0) {
        left -= 1;
        if (!sent.write(piece)) {
          sent.once("drain", next);
          return;
        }
      }
      sent.end();
    };
    next();
  });
}

describe.skipIf(!canMeasure)("what hostile bodies cost", () => {
  test("S-32 bombs of 10 and 1,000 MB of zeros are 413 and take less than 50 MB", async () => {
    for (const bytes of [10_000_000, 1_000_000_000]) {
      const zeros = Buffer.alloc(bytes);
      const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
      const bombs: [coding: string, bytes: Buffer][] = [
        ["gzip", gzipSync(zeros, { level: 1 })],
        ["deflate", deflateSync(zeros, { level: 1 })],
        ["br", brotliCompressSync(zeros, quick)],
        ["zstd", zstdCompressSync(zeros)],
      ];
      for (const [coding, bomb] of bombs) {
        const grown = await peakGrowthBytes(server.pid, async () => {
          expect(await post(bomb, { "content-encoding": coding }), coding).toMatchObject({ status: 413 });
        });
        expect(grown, `${bytes} as ${coding}`).toBeLessThan(50_000_000);
      }
    }
  });

  test("S-31 a body of 100 MB is 413 before it is read, and takes less than 20 MB", async () => {
    const body = Buffer.alloc(100_000_000, "x");
    const grown = await peakGrowthBytes(server.pid, async () => {
      expect(await post(body)).toMatchObject({ status: 413 });
    });
    expect(grown).toBeLessThan(20_000_000);
  });

  test("S-31 forty bodies without a length add up to a bound: 413, or 429 with a time to come back", async () => {
    const answers: Answer[] = [];
    const grown = await peakGrowthBytes(server.pid, async () => {
      answers.push(...(await Promise.all(Array.from({ length: 40 }, () => post(34)))));
    });
    expect(answers.filter(({ status }) => status !== 413 && status !== 429)).toEqual([]);
    const turnedAway = answers.filter(({ status }) => status === 429);
    expect(turnedAway.length).toBeGreaterThan(10);
    expect(turnedAway[0]?.body).toContain("Too many large bodies");
    // 40 times 32 MiB would be 1,280.
    expect(grown).toBeLessThan(500 * MiB);
    expect(await post(Buffer.from("{}"))).toMatchObject({ status: 400 });
  });

  test("shapes that cost more than their size are refused at once, and cheaply", async () => {
    const filled = (piece: string, count: number) =>
      Buffer.from(`{"model":"m","messages":[${Array(count).fill(piece).join(",")}]}`);
    const bodies = {
      numbers: filled("1", 10_000_000),
      objects: filled("{}", 8_000_000),
      "as many numbers as are read": filled("1", 499_000),
      "as many wrong messages": filled('{"role":5}', 160_000),
      "half a million biases": Buffer.from(
        `{"model":"m","messages":[{"role":"user","content":"x"}],"logit_bias":{${Array.from({ length: 490_000 }, (_, index) => `"${index}":"x"`).join(",")}}}`,
      ),
      "a deep one": Buffer.from("[".repeat(10_000_000)),
      "a deep one of objects": Buffer.from('{"a":'.repeat(5_000_000)),
    };
    for (const [what, body] of Object.entries(bodies)) {
      const startedMs = performance.now();
      const grown = await peakGrowthBytes(server.pid, async () => {
        expect(await post(body), what).toMatchObject({ status: 400 });
      });
      expect(performance.now() - startedMs, what).toBeLessThan(5_000);
      expect(grown, what).toBeLessThan(250 * MiB);
    }
  });
});

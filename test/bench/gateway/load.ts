/**
 * The load on a gateway, a process of its own: keeps connections busy, looks at every answer and prints one JSON line.
 * Started as `node load.ts '<LoadOrder as JSON>'`.
 */
import { connect, type Socket } from "node:net";
import { z } from "zod";
import { percentile } from "../measure.ts";
import { AnswerInCheck, type Seen } from "./answer-in-check.ts";
import { HttpReader } from "./http-reader.ts";
import { monotonicUs } from "./script.ts";

const orderSchema = z.object({
  port: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  connections: z.int().min(1).max(1000),
  /** Requests begin until then; those that run are finished. 0: each connection sends `most`. */
  durationMs: z.int().min(0).max(60_000),
  /** Most requests of each connection. */
  most: z.int().min(1),
  /** Frames that each answer must have; null: it comes in one piece. */
  frames: z.int().min(1).nullable(),
  /** Milliseconds by which each connection begins later than the one before it; absent: all at once. */
  apartMs: z.int().min(0).max(1000).optional(),
  /** From one request of a connection to its next, if the answer has come by then; absent: as soon as it has come. */
  everyMs: z.int().min(1).max(10_000).optional(),
});
export type LoadOrder = z.infer<typeof orderSchema>;

const spreadSchema = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), most: z.number() });
export const loadResultSchema = z.object({
  /** Sent, whatever became of them. */
  requests: z.int(),
  /** No 200, no stamp, no end: each is a request that was not answered as it should be. */
  failures: z.int(),
  firstFailure: z.string().nullable(),
  seconds: z.number(),
  /** Milliseconds from the request to the whole answer, less what the upstream held it. */
  answer: spreadSchema,
  /** To the first frame, less what the upstream held it. */
  ttft: spreadSchema.nullable(),
  /** How much longer than at the upstream it took from one frame to the next. */
  gap: spreadSchema.nullable(),
  lostFrames: z.int(),
  reorderedFrames: z.int(),
});
export type LoadResult = z.infer<typeof loadResultSchema>;

if (import.meta.main) {
  process.stdout.write(`${JSON.stringify(await runLoad(orderSchema.parse(JSON.parse(process.argv[2] ?? ""))))}\n`);
}

async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const seen: Seen = {
    ...{ answers: [], firsts: [], gaps: [], firstFailure: null },
    ...{ requests: 0, failures: 0, lost: 0, reordered: 0 },
  };
  const head = Object.entries({ host: `127.0.0.1:${order.port}`, ...order.headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const request = `POST /v1/chat/completions HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(order.body)}\r\n\r\n${order.body}`;
  const fromUs = monotonicUs();
  const untilUs = order.durationMs === 0 ? Number.POSITIVE_INFINITY : fromUs + order.durationMs * 1000;
  await Promise.all(
    Array.from({ length: order.connections }, (_, index) => busyConnection(order, index, request, untilUs, seen)),
  );
  const isStream = order.frames !== null;
  return {
    ...{ requests: seen.requests, failures: seen.failures, firstFailure: seen.firstFailure },
    seconds: (monotonicUs() - fromUs) / 1e6,
    answer: spreadOf(seen.answers),
    ttft: isStream ? spreadOf(seen.firsts) : null,
    gap: isStream ? spreadOf(seen.gaps) : null,
    lostFrames: seen.lost,
    reorderedFrames: seen.reordered,
  };
}

function spreadOf(values: readonly number[]): z.infer<typeof spreadSchema> {
  if (values.length === 0) return { p50: 0, p95: 0, p99: 0, most: 0 };
  return {
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
    most: percentile(values, 1),
  };
}

/** One request after the other on one connection. Resolves when it has sent enough, or when the connection is lost. */
function busyConnection(order: LoadOrder, index: number, request: string, untilUs: number, seen: Seen): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port: order.port, host: "127.0.0.1", noDelay: true });
    let sent = 0;
    let open = false;
    let sentUs = 0;
    let answer = new AnswerInCheck(order.frames);
    const fail = (why: string) => {
      seen.failures += 1;
      seen.firstFailure ??= why;
    };
    const send = () => {
      if (sent >= order.most || monotonicUs() >= untilUs) {
        socket.end();
        return;
      }
      sent += 1;
      sentUs = monotonicUs();
      seen.requests += 1;
      open = true;
      answer = new AnswerInCheck(order.frames);
      socket.write(request);
    };
    const reader = new HttpReader({
      head: (text) => answer.head(text),
      body: (piece) => answer.body(piece),
      end: () => {
        open = false;
        const wrong = answer.end(seen);
        if (wrong !== null) fail(wrong);
        if (order.everyMs === undefined) send();
        else setTimeout(send, Math.max(0, order.everyMs - (monotonicUs() - sentUs) / 1000));
      },
    });
    socket.on("connect", () => {
      if (order.apartMs === undefined) send();
      else setTimeout(send, index * order.apartMs);
    });
    socket.on("data", (bytes) => {
      try {
        reader.push(bytes);
      } catch (thrown) {
        socket.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    });
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => {
      if (open) fail("the connection closed before the answer's end");
      resolve();
    });
  });
}

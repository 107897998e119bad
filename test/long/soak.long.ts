/**
 * S-34: half an hour of mixed requests against the product as people start it. Neither the memory of its processes nor their
 * open files may grow. The first third settles and is not judged; `SOAK_MINUTES` shortens it, and below a quarter of an hour
 * the heaps are still settling, so that the slope is only reported.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { treeOf } from "../bench/processes.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { postChat, readStream } from "../support/sse.ts";

const minutes = Number(process.env.SOAK_MINUTES ?? 30);
const clients = 6;
/** In the first part of so many four times as many: what a burst takes once and keeps, room for new objects above all, is taken then. */
const burstPart = 15;
const everyMs = 5_000;
const mostMebibytesPerMinute = 1;
const judgedFromMinutes = 15;
/** Server and one worker with the demo model, however short the look is. */
const mostMebibytes = 700;
/** Starting, the last answers and stopping come on top of the soak itself. */
const aroundItMinutes = 5;
/** Connections of clients that come and go. */
const mostNewFiles = 2 * clients;

interface Sample {
  readonly atMinutes: number;
  readonly mebibytes: number;
  readonly files: number;
  /** MiB of each process, by what it runs. */
  readonly of: Readonly<Record<string, number>>;
}

function look(root: number, atMinutes: number): Sample {
  let kibibytes = 0;
  let files = 0;
  const of: Record<string, number> = {};
  for (const pid of treeOf(root)) {
    try {
      const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      kibibytes += own;
      const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const program = words.find((word) => !word.startsWith("-")) ?? "";
      of[program.split("/").slice(-2).join("/")] = Math.round(own / 1_024);
      files += readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      // It ended between the listing and the look.
    }
  }
  return { atMinutes, mebibytes: kibibytes / 1_024, files, of };
}

/** Least squares: how much is added per minute. */
function slope(samples: readonly Sample[]): number {
  const meanX = samples.reduce((sum, { atMinutes }) => sum + atMinutes, 0) / samples.length;
  const meanY = samples.reduce((sum, { mebibytes }) => sum + mebibytes, 0) / samples.length;
  const over = samples.reduce((sum, one) => sum + (one.atMinutes - meanX) * (one.mebibytes - meanY), 0);
  return over / samples.reduce((sum, one) => sum + (one.atMinutes - meanX) ** 2, 0);
}

/** One request of a kind that follows from its number: long and short, streamed and whole, refused, and left in the middle. */
async function oneOfMany(server: RunningServer, number: number): Promise<void> {
  const prompt = Array.from({ length: number % 11 === 0 ? 800 : 20 }, (_, at) => `w${number % 97} ${at}`).join(" ");
  const body = {
    model: number % 23 === 0 ? "no-such-model" : "lanthorn-demo",
    messages: [{ role: "user", content: prompt }],
    max_tokens: 4 + (number % 60),
    ignore_eos: true,
  };
  if (number % 7 === 0) {
    const leaving = AbortSignal.timeout(5 + (number % 50));
    await readStream(server.url, { ...body, max_tokens: 2_000 }, { signal: leaving }).catch(() => {});
  } else if (number % 3 === 0) {
    await (await postChat(server.url, body)).text();
  } else {
    const { status, data } = await readStream(server.url, body).catch(() => ({ status: 404, data: [] }));
    if (status === 200) expect(data.at(-1)).toBe("[DONE]");
  }
}

test.runIf(process.platform === "linux")(
  `S-34 a soak of ${minutes} minutes: memory and files stay flat`,
  async () => {
    const server = await startServer();
    const samples: Sample[] = [];
    let asked = 0;
    try {
      const startedMs = performance.now();
      const elapsed = () => (performance.now() - startedMs) / 60_000;
      const client = async (untilMinutes: number) => {
        while (elapsed() < untilMinutes) {
          asked += 1;
          await oneOfMany(server, asked);
        }
      };
      const burst = Array.from({ length: 3 * clients }, () => client(minutes / burstPart));
      const all = Promise.all([...burst, ...Array.from({ length: clients }, () => client(minutes))]);
      while (elapsed() < minutes) {
        await Promise.race([delay(everyMs), all]);
        samples.push(look(server.pid, elapsed()));
      }
      await all;
    } finally {
      await server.remove();
    }
    const judged = samples.filter(({ atMinutes }) => atMinutes > minutes / 3);
    const half = Math.floor(judged.length / 2);
    const most = (some: readonly Sample[]) => Math.max(...some.map(({ files }) => files));
    const growth = slope(judged);
    const newFiles = most(judged.slice(half)) - most(judged.slice(0, half));
    console.log(
      JSON.stringify({
        minutes,
        requests: asked,
        mebibytesPerMinute: Number(growth.toFixed(2)),
        mebibytes: judged.map(({ mebibytes }) => Math.round(mebibytes)).filter((_, at) => at % 10 === 0),
        files: [most(judged.slice(0, half)), most(judged.slice(half))],
        of: judged.filter((_, at) => at % Math.ceil(judged.length / 6) === 0).map(({ of }) => of),
      }),
    );
    if (minutes >= judgedFromMinutes) expect(growth).toBeLessThan(mostMebibytesPerMinute);
    expect(Math.max(...samples.map(({ mebibytes }) => mebibytes))).toBeLessThan(mostMebibytes);
    expect(newFiles).toBeLessThanOrEqual(mostNewFiles);
  },
  (minutes + aroundItMinutes) * 60_000,
);

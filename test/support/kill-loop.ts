/** S-30: a server that is killed again and again while clients ask it; what they saw whole, and what the ledger says. */
import { startServer } from "./running-server.ts";
import { temporaryFolder, until } from "./real-engine.ts";
import { readStream } from "./sse.ts";

export interface KillLoopResult {
  /** Request ids of the answers that some client read to `[DONE]`. */
  readonly seenWhole: readonly string[];
  /** Rows per request id, in the ledger after the last start. */
  readonly rowsOf: ReadonlyMap<string, number>;
  /** Statuses of all rows. */
  readonly statuses: ReadonlySet<string>;
  /** Longest time from start to ready, in milliseconds. */
  readonly longestStartMs: number;
}

const body = {
  model: "lanthorn-demo",
  messages: [{ role: "user", content: "hi" }],
  ignore_eos: true,
  max_tokens: 3,
};

/** `clients` ask five times each; after the first whole answer the server is killed, a little later every time. */
export async function killLoop(kills: number, clients: number): Promise<KillLoopResult> {
  const folder = await temporaryFolder();
  const seenWhole: string[] = [];
  let longestStartMs = 0;
  const start = async () => {
    const fromMs = performance.now();
    const server = await startServer({ home: folder.path });
    longestStartMs = Math.max(longestStartMs, performance.now() - fromMs);
    return server;
  };
  for (let kill = 0; kill < kills; kill += 1) {
    const server = await start();
    const seenBefore = seenWhole.length;
    const client = async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        const stream = await readStream(server.url, body);
        if (stream.data.at(-1) === "[DONE]") seenWhole.push(stream.headers.get("x-request-id") ?? "");
      }
    };
    const asking = Promise.allSettled(Array.from({ length: clients }, client));
    await until("an answer", () => seenWhole.length > seenBefore);
    await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 40));
    await server.stop("SIGKILL");
    await asking;
  }
  const last = await start();
  const { stdout } = await last.command("usage", "export", "--format", "jsonl");
  await last.remove();
  await folder.remove();
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; status: string });
  const rowsOf = new Map<string, number>();
  for (const row of rows) rowsOf.set(row.id, (rowsOf.get(row.id) ?? 0) + 1);
  return { seenWhole, rowsOf, statuses: new Set(rows.map((row) => row.status)), longestStartMs };
}

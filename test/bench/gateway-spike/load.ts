/**
 * The load on a gateway, a process of its own: keeps `connections` connections busy for `durationMs` and prints one JSON
 * line, `{"requests": n, "failures": n, "seconds": n}`. Started as `node load.ts '<LoadOrder as JSON>'`.
 */
import { Pool } from "undici";
import { z } from "zod";

export interface LoadOrder {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  readonly durationMs: number;
}

export const loadResultSchema = z.object({ requests: z.number(), failures: z.number(), seconds: z.number() });

const orderSchema: z.ZodType<LoadOrder> = z.object({
  origin: z.url(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  connections: z.int().min(1).max(256),
  durationMs: z.int().min(1).max(60_000),
});

if (import.meta.main) {
  const result = await runLoad(orderSchema.parse(JSON.parse(process.argv[2] ?? "")));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function runLoad(order: LoadOrder): Promise<z.infer<typeof loadResultSchema>> {
  const pool = new Pool(order.origin, { connections: order.connections, pipelining: 1 });
  const fromMs = performance.now();
  const untilMs = fromMs + order.durationMs;
  let requests = 0;
  let failures = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const response = await pool.request({
        path: "/v1/chat/completions",
        method: "POST",
        headers: order.headers,
        body: order.body,
      });
      const text = await response.body.text();
      if (response.statusCode === 200 && text.includes("A fixed answer.")) requests += 1;
      else failures += 1;
    }
  };
  await Promise.all(Array.from({ length: order.connections }, connection));
  const seconds = (performance.now() - fromMs) / 1000;
  await pool.close();
  return { requests, failures, seconds };
}

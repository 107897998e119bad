/**
 * A market as one rented machine sees it: takes the calls that stop or destroy it, and can be unwell first. Keeps a log of what it was
 * asked.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface OwnMarketServer {
  /** For LANTHORN_MARKET_URL. */
  readonly url: string;
  /** `DELETE /instances/7/ {} 200`, oldest first. */
  readonly log: readonly string[];
  /** Resolves when the machine was stopped or destroyed. */
  readonly carriedOut: Promise<void>;
  close(): Promise<void>;
}

/** `unwell`: so many questions are answered with 500 first. */
export async function ownMarketServer({ key, unwell = 0 }: { key: string; unwell?: number }): Promise<OwnMarketServer> {
  const log: string[] = [];
  let left = unwell;
  let done = () => {};
  const carriedOut = new Promise<void>((resolve) => {
    done = resolve;
  });
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const isOwn = request.headers.authorization === `Bearer ${key}`;
      const status = !isOwn ? 401 : left > 0 ? 500 : 200;
      left -= 1;
      log.push(`${request.method} ${request.url} ${body} ${status}`);
      response.writeHead(status, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify({ success: status === 200 }));
      if (status === 200) done();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    carriedOut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * A small server of one file, by ranges, as the Hub's first answer and the host behind it would send it. Each test makes it
 * misbehave in one way.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Asked {
  readonly url: string;
  readonly range: string | null;
  readonly authorization: string | null;
}

export interface RangeServer {
  readonly address: string;
  readonly asked: readonly Asked[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse, index: number) => void;

export async function rangeServer(answer: Answer): Promise<RangeServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    asked.push({
      url: request.url ?? "",
      range: request.headers.range ?? null,
      authorization: request.headers.authorization ?? null,
    });
    answer(request, response, asked.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What was asked for, as it should be; `change` spoils it. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array,
  change: (sent: { status: number; headers: Record<string, string>; body: Uint8Array }) => void = () => {},
): void {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const start = Number(match?.[1] ?? 0);
  const end = Math.min(Number(match?.[2] ?? file.length - 1), file.length - 1);
  const sent = {
    status: 206,
    headers: {
      "content-range": `bytes ${start}-${end}/${file.length}`,
      "content-type": "application/octet-stream",
      etag: '"first"',
    } as Record<string, string>,
    body: file.subarray(start, end + 1),
  };
  change(sent);
  response.writeHead(sent.status, sent.headers).end(sent.body);
}

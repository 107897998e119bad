/** Serves recordings on loopback as an upstream would, with the faults that are asked for. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { type Framing, framed, type Recording } from "./recordings.ts";

export interface Knobs extends Framing {
  /** Bytes per write; absent: all at once. */
  readonly slice?: number;
  /** The connection is destroyed after this part of the bytes. */
  readonly cut?: number;
  /** Nothing comes after this part, and the connection stays open. */
  readonly stall?: number;
}

export interface ReplayUpstream {
  address(recording: Recording, knobs: Knobs): string;
  stop(): Promise<void>;
}

export async function startUpstream(recordings: readonly Recording[]): Promise<ReplayUpstream> {
  const byName = new Map(recordings.map((one) => [one.name, one]));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const recording = byName.get(decodeURIComponent(url.pathname.slice(1)));
    if (recording === undefined) {
      response.writeHead(404).end();
      return;
    }
    const knobs = JSON.parse(url.searchParams.get("knobs") ?? "{}") as Knobs;
    send(response, framed(recording, knobs), knobs).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: ({ name }, knobs) =>
      `http://127.0.0.1:${port}/${encodeURIComponent(name)}?knobs=${encodeURIComponent(JSON.stringify(knobs))}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function send(response: ServerResponse, bytes: Buffer, { slice, cut, stall }: Knobs): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.socket?.setNoDelay(true);
  const length = Math.floor(bytes.length * (cut ?? stall ?? 1));
  const step = slice ?? length;
  for (let at = 0; at < length && !response.destroyed; at += step) {
    response.write(bytes.subarray(at, Math.min(at + step, length)));
    if (slice !== undefined) await turn();
  }
  if (stall !== undefined) return;
  if (cut === undefined) response.end();
  else {
    // What was written has left before the connection goes.
    await new Promise<void>((resolve) => response.write("", () => resolve()));
    response.destroy();
  }
}

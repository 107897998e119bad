/**
 * Clients that hold connections: headers that trickle, bodies that trickle, answers that are not read, and clients that
 * connect and say nothing. A driver of our own, bounded in count and time.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type Slowness = "silent" | "headers" | "body" | "reader";
export const slownesses: readonly Slowness[] = ["silent", "headers", "body", "reader"];

export interface SlowClients {
  readonly opened: number;
  /** Resolves with how long each connection lived, when the server has closed them all or `limitMs` is over. */
  lifetimes(limitMs: number): Promise<readonly (number | null)[]>;
  /** Ends what is left. */
  close(): void;
}

function opening(kind: Slowness, streamedBody: string): string {
  const head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
  switch (kind) {
    case "silent":
      return "";
    case "headers":
      return head;
    case "body":
      return `${head}Content-Length: 100000\r\n\r\n{`;
    case "reader":
      return `${head}Content-Length: ${Buffer.byteLength(streamedBody)}\r\n\r\n${streamedBody}`;
  }
}

/** One more piece of what never ends. */
function trickle(kind: Slowness, turn: number): string {
  if (kind === "headers") return `X-${turn}: ${turn}\r\n`;
  return kind === "body" ? " " : "";
}

/** `streamedBody`: the request whose answer the slow readers ask for. */
export async function openSlowClients(
  port: number,
  count: number,
  kinds: readonly Slowness[],
  streamedBody: string,
): Promise<SlowClients> {
  const sockets: Socket[] = [];
  const lifetimesMs: (number | null)[] = [];
  const closes: Promise<unknown>[] = [];
  const timers: NodeJS.Timeout[] = [];
  for (let index = 0; index < count; index += 1) {
    const kind = kinds[index % kinds.length] ?? "silent";
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    const openedMs = performance.now();
    lifetimesMs.push(null);
    closes.push(
      once(socket, "close").then(() => {
        lifetimesMs[index] = performance.now() - openedMs;
      }),
    );
    socket.write(opening(kind, streamedBody));
    let turn = 0;
    if (kind === "reader") {
      socket.pause();
      // One byte at a time, as far as a socket can be read so.
      timers.push(setInterval(() => void socket.read(1), 1000));
    } else {
      socket.resume();
      timers.push(
        setInterval(() => {
          turn += 1;
          if (socket.writable) socket.write(trickle(kind, turn));
        }, 1000),
      );
    }
    sockets.push(socket);
  }
  return {
    opened: sockets.length,
    async lifetimes(limitMs) {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      await Promise.race([Promise.all(closes), limit]);
      clearTimeout(timer);
      return lifetimesMs;
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

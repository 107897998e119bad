/**
 * Writes one SSE answer to one client: headers when they are due, frames joined per turn of the event loop, a sign of
 * life while there is nothing to say, and no more than the client takes. Runs in the server; knows no dialect.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../domain/ports.ts";

/** Characters that may wait for the end of the turn. A source that is always ready would otherwise fill the memory. */
const mostPending = 16 * 1024;

export interface StreamWriterOptions {
  readonly response: ServerResponse;
  readonly contentType: string;
  /** Headers known only when the stream begins. */
  readonly lateHeaders: () => Readonly<Record<string, string>>;
  /** Bytes every client ignores, or counts as a sign of life. Asked each time: some dialects number them. */
  readonly keepAlive: () => string;
  readonly keepAliveMs: number;
  /** Send the headers by then, whether or not there is anything to say. */
  readonly commitMs: number;
  readonly clock: Clock;
}

export interface StreamWriter {
  /** True once the 200 and its headers are out: from here on a failure can only be told inside the stream. */
  readonly begun: boolean;
  write(frames: string): void;
  /** Null when the client keeps up; otherwise resolves when it has caught up or is gone. */
  caughtUp(): Promise<void> | null;
  /** Writes the rest and ends the stream. */
  end(frames: string): void;
  /** Stops the timers without writing: the answer is given some other way. */
  abandon(): void;
}

export function createStreamWriter(options: StreamWriterOptions): StreamWriter {
  const { response, clock, keepAliveMs } = options;
  let begun = false;
  let over = false;
  let pending = "";
  let flushScheduled = false;
  let blocked = false;
  let resume: (() => void) | null = null;
  let lastSentMs = clock.monotonicMs();
  let cancelTimer = clock.after(options.commitMs, () => {
    begin();
    response.flushHeaders();
    send(options.keepAlive());
  });

  function begin(): void {
    if (begun || over) return;
    begun = true;
    cancelTimer();
    response.writeHead(200, {
      "content-type": options.contentType,
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
      ...options.lateHeaders(),
    });
    cancelTimer = clock.after(keepAliveMs, keepAlive);
  }

  /** One timer for the whole stream: a token only notes the time, it does not re-arm. */
  function keepAlive(): void {
    // What was said before stands before.
    flush();
    const silentMs = clock.monotonicMs() - lastSentMs;
    const due = silentMs >= keepAliveMs;
    if (due && !blocked) send(options.keepAlive());
    cancelTimer = clock.after(due ? keepAliveMs : keepAliveMs - silentMs, keepAlive);
  }

  function send(text: string): void {
    if (over || response.destroyed) return;
    lastSentMs = clock.monotonicMs();
    if (response.write(text) || blocked) return;
    blocked = true;
    response.once("drain", unblock);
  }

  function unblock(): void {
    blocked = false;
    resume?.();
    resume = null;
  }

  function flush(): void {
    if (pending === "" || over) return;
    const text = pending;
    pending = "";
    send(text);
  }

  function stop(): void {
    over = true;
    cancelTimer();
    resume?.();
    resume = null;
  }

  response.once("close", stop);

  return {
    get begun() {
      return begun;
    },
    write(frames) {
      if (frames === "" || over) return;
      begin();
      pending += frames;
      if (pending.length >= mostPending) flush();
      if (flushScheduled || pending === "") return;
      flushScheduled = true;
      setImmediate(() => {
        flushScheduled = false;
        flush();
      });
    },
    caughtUp() {
      if (!blocked || over) return null;
      return new Promise((resolve) => {
        resume = resolve;
      });
    },
    end(frames) {
      if (over) return;
      begin();
      const rest = pending + frames;
      pending = "";
      stop();
      response.end(rest);
    },
    abandon: stop,
  };
}

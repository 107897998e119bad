/**
 * One HTTP call over undici's dispatcher, its answer read piece by piece as fast as somebody takes it. Runs in the server and the CLI.
 * In place of undici's own `request`, whose body is a whole Node stream: the gateway makes a call for every request, and that stream
 * with its iterator and its AbortSignal was a tenth of what a request costs.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

export interface WireRequest {
  readonly url: URL;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** Pieces of a body, in order. One question at a time. */
export interface WireBody {
  /** The next piece; null: that was all. Rejects with what the call was aborted with, or what the connection throws. */
  next(): Promise<Uint8Array | null>;
  /** Nobody wants the rest: the connection is closed, unless all has come. Harmless twice. */
  destroy(): void;
}

export interface WireAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: WireBody;
}

/** Who may end a call early. */
export interface WireControl {
  readonly isAborted: boolean;
  readonly reason: unknown;
  /** Called once, with the reason; at most one is kept. */
  onAbort(callback: (reason: unknown) => void): void;
}

/** Waiting for somebody to take them; past it the connection is not read. */
const mostWaitingBytes = 64 * 1024;

/** Resolves with the headers. Rejects with what the control was aborted with, or what undici throws. No time-out of its own. */
export function wireCall(dispatcher: Dispatcher, request: WireRequest, control: WireControl): Promise<WireAnswer> {
  const { url, method, headers, body } = request;
  return new Promise((resolve, reject) => {
    const reader = new Reader(resolve, reject);
    control.onAbort((reason) => reader.abort(reason));
    if (control.isAborted) reader.abort(control.reason);
    dispatcher.dispatch(
      { origin: url.origin, path: url.pathname + url.search, method, headers, body, headersTimeout: 0, bodyTimeout: 0 },
      reader,
    );
  });
}

class Reader implements Dispatcher.DispatchHandler, WireBody {
  readonly #resolve: (answer: WireAnswer) => void;
  readonly #reject: (thrown: unknown) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #pieces: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isOver = false;
  /** Null: nothing went wrong. */
  #wrong: { readonly thrown: unknown } | null = null;
  #asked: { resolve(piece: Uint8Array | null): void; reject(thrown: unknown): void } | null = null;

  constructor(resolve: (answer: WireAnswer) => void, reject: (thrown: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#wrong !== null) controller.abort(asError(this.#wrong.thrown));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: IncomingHttpHeaders): void {
    // 1xx are not the answer.
    if (statusCode >= 200) this.#resolve({ statusCode, headers, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#wrong !== null) return;
    const asked = this.#asked;
    if (asked !== null) {
      this.#asked = null;
      asked.resolve(piece);
      return;
    }
    this.#pieces.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes < mostWaitingBytes || this.#isPaused) return;
    this.#isPaused = true;
    controller.pause();
  }

  onResponseEnd(): void {
    this.#isOver = true;
    this.#asked?.resolve(null);
    this.#asked = null;
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  next(): Promise<Uint8Array | null> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#waitingBytes -= piece.length;
      if (this.#isPaused && this.#waitingBytes < mostWaitingBytes) {
        this.#isPaused = false;
        this.#controller?.resume();
      }
      return Promise.resolve(piece);
    }
    if (this.#wrong !== null) return Promise.reject(this.#wrong.thrown);
    if (this.#isOver) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
    });
  }

  destroy(): void {
    this.abort(new Error("nobody reads the answer any more"));
  }

  abort(reason: unknown): void {
    if (this.#isOver || this.#wrong !== null) return;
    this.#fail(reason);
    this.#controller?.abort(asError(reason));
  }

  #fail(thrown: unknown): void {
    if (this.#wrong !== null || this.#isOver) return;
    this.#wrong = { thrown };
    this.#pieces = [];
    this.#reject(thrown);
    this.#asked?.reject(thrown);
    this.#asked = null;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("given up", { cause: thrown });
}

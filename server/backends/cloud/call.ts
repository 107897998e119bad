/**
 * One call to a provider: the request leaves, its answer is handed back with its body unread. The key is added here, for the host
 * of the base URL only; no redirect is followed. Runs in the server process and in `lanthorn provider test`.
 */
import type { Clock } from "../../domain/ports.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import { type WireAnswer, type WireControl, wireCall } from "../../platform/upstream/wire-call.ts";
import type { CloudSettings } from "./settings.ts";
import { noAnswer, tooLate } from "./wire-failures.ts";

export interface CallPorts {
  readonly clock: Clock;
  readonly upstream: UpstreamFetch;
}

export interface Call {
  readonly method: "GET" | "POST";
  /** Behind the base URL. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; null: none. */
  readonly body: string | null;
  /** Null: it is called without one. */
  readonly secret: string | null;
  /** To the first byte of the answer. */
  readonly limitMs: number;
}

/** Aborted from outside, by a limit of time, or at its end; whatever it holds is freed then. */
export interface CallControl extends WireControl {
  /** The body ends with this; the first one stays. */
  abort(reason: unknown): void;
  /** What is outside is not listened to any more. */
  leave(): void;
}

export type Answer = WireAnswer;

/** Ends with `outer`. Not an AbortController: one for each call is dear, and a call has one listener. */
export function callControl(outer: AbortSignal): CallControl {
  let isAborted = false;
  let reason: unknown;
  let heard = (_reason: unknown) => {};
  const abort = (why: unknown) => {
    if (isAborted) return;
    isAborted = true;
    reason = why;
    heard(why);
  };
  const onAbort = () => abort(outer.reason);
  if (outer.aborted) onAbort();
  else outer.addEventListener("abort", onAbort, { once: true });
  return {
    get isAborted() {
      return isAborted;
    },
    get reason() {
      return reason;
    },
    onAbort: (callback) => {
      heard = callback;
    },
    abort,
    leave: () => outer.removeEventListener("abort", onAbort),
  };
}

/** Throws a Failure about the connection, or what the control was aborted with. */
export async function sendCall(
  settings: CloudSettings,
  call: Call,
  control: CallControl,
  { clock, upstream }: CallPorts,
): Promise<Answer> {
  const { title } = settings.provider;
  const url = new URL(settings.baseUrl + call.path);
  const cancel = clock.after(call.limitMs, () => control.abort(tooLate(title, call.limitMs, "began")));
  try {
    const wish = { url, method: call.method, headers: headersOf(settings, call), body: call.body };
    // Our own limits, by the clock that was handed in.
    return await wireCall(upstream.dispatcherFor(url), wish, control);
  } catch (error) {
    throw control.isAborted ? control.reason : noAnswer(title, error);
  } finally {
    cancel();
  }
}

function headersOf({ provider, headers }: CloudSettings, call: Call): Record<string, string> {
  const { auth } = provider;
  const all: Record<string, string> = { "user-agent": "lanthorn", accept: "application/json" };
  for (const some of [provider.headers, headers, call.headers]) {
    for (const [name, value] of Object.entries(some)) all[name.toLowerCase()] = value;
  }
  if (call.body !== null) all["content-type"] ??= "application/json";
  if (auth !== null && call.secret !== null) {
    all[auth.header] = auth.scheme === null ? call.secret : `${auth.scheme} ${call.secret}`;
  }
  return all;
}

/** One header as text; null: it is not there. */
export function headerOf(answer: Answer, name: string): string | null {
  const value = answer.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** The name that the other side has given to this call, for its own support and our rows; no field where it gave none. */
export function upstreamIdOf(answer: Answer | null): { readonly upstreamRequestId?: string } {
  const id = answer === null ? null : (headerOf(answer, "x-request-id") ?? headerOf(answer, "request-id"));
  return id === null || id === "" ? {} : { upstreamRequestId: id };
}

export function plainHeaders(answer: Answer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}

/** The body as text; what is beyond the bound is not read and `isWhole` is false. Throws what the connection throws. */
export async function readText(
  answer: Answer,
  mostBytes: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (let part = await answer.body.next(); part !== null; part = await answer.body.next()) {
    bytes += part.length;
    if (bytes > mostBytes) {
      parts.push(part.subarray(0, part.length - (bytes - mostBytes)));
      return { text: textOf(parts), isWhole: false };
    }
    parts.push(part);
  }
  return { text: textOf(parts), isWhole: true };
}

const decoder = new TextDecoder();

function textOf(parts: readonly Uint8Array[]): string {
  return decoder.decode(parts.length === 1 ? parts[0] : Buffer.concat(parts));
}

/** After a whole answer: what little is left of the body is taken in, so that the connection can be used again. */
export async function finishBody({ body }: Answer, clock: Clock): Promise<void> {
  const cancel = clock.after(restLimitMs, () => body.destroy());
  try {
    for (let bytes = 0; bytes < mostRestBytes; ) {
      const piece = await body.next();
      if (piece === null) return;
      bytes += piece.length;
    }
    body.destroy();
  } catch {
    // It broke, or was destroyed because nobody wants the answer any more.
  } finally {
    cancel();
  }
}

const restLimitMs = 2_000;
const mostRestBytes = 64 * 1024;

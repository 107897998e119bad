/**
 * One call to a provider: the request leaves, its answer is handed back with its body unread. The key is added here, for the host
 * of the base URL only; no redirect is followed. Runs in the server process and in `lanthorn provider test`.
 */
import type { Dispatcher } from "undici";
import type { Clock } from "../../domain/ports.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
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
export interface CallControl {
  readonly signal: AbortSignal;
  /** The body is destroyed with this; the first one stays. */
  abort(reason: unknown): void;
}

export type Answer = Dispatcher.ResponseData;

/** Ends with `outer`. */
export function callControl(outer: AbortSignal): CallControl & { leave(): void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(outer.reason);
  if (outer.aborted) onAbort();
  else outer.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
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
    const answer = await upstream.dispatcherFor(url).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: call.method,
      headers: headersOf(settings, call),
      body: call.body,
      signal: control.signal,
      // Our own limits, by the clock that was handed in.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // Whoever reads the body hears of its error by reading; a body that nobody reads any more must not end the process.
    answer.body.on("error", () => {});
    return answer;
  } catch (error) {
    throw control.signal.aborted ? control.signal.reason : noAnswer(title, error);
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
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > mostBytes) {
      parts.push(part.subarray(0, part.length - (bytes - mostBytes)));
      return { text: textOf(parts), isWhole: false };
    }
    parts.push(part);
  }
  return { text: textOf(parts), isWhole: true };
}

function textOf(parts: readonly Uint8Array[]): string {
  return new TextDecoder().decode(Buffer.concat(parts));
}

/**
 * After a whole answer: what little is left of the body is taken in, so that the connection can be used again. `pieces` is the
 * iterator the answer was read with: beside it a body gives nothing to anybody else.
 */
export async function finishBody({ body }: Answer, pieces: AsyncIterator<Uint8Array>, clock: Clock): Promise<void> {
  const cancel = clock.after(restLimitMs, () => body.destroy());
  try {
    for (let bytes = 0; bytes < mostRestBytes; ) {
      const { done, value } = await pieces.next();
      if (done === true) return;
      bytes += value.length;
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

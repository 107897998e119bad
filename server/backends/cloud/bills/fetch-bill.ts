/**
 * Reads a bill page by page. The key goes to the host of the provider's base URL and nowhere else; no redirect is followed. A 429 is
 * waited for as long as it asks, within bounds. Runs in the server, and in `lanthorn usage reconcile` while none runs.
 */
import { coolDownMs } from "../../../dialects/retry-after.ts";
import { Failure } from "../../../domain/failure.ts";
import type { BillLine } from "../../../domain/reconcile/records.ts";
import { waitFor } from "../../../platform/wait.ts";
import { type CallPorts, callControl, headerOf, plainHeaders, readText, sendCall } from "../call.ts";
import type { CloudSettings } from "../settings.ts";
import { brokeOff, describeType, mediaType, notAnAnswer, redirected, tooLate } from "../wire-failures.ts";
import type { BillPath, BillSource, DayRange } from "./bill-source.ts";
import { exactJson } from "./exact-json.ts";

/** One page: a report over weeks may take its time. */
const limitMs = 60_000;
const mostPageBytes = 16 * 1024 ** 2;
/** Of all pages together; a year by days and line items has a hundredth of it. */
const mostLines = 500_000;
const mostPages = 1_000;
/** Tries of one page. */
const mostTries = 4;
/** What is waited for a page, all its tries together: beyond it somebody should come back later. */
const mostWaitMs = 120_000;
const unsaidWaitMs = 2_000;

export interface BillCall {
  readonly settings: CloudSettings;
  readonly source: BillSource;
  readonly secret: string;
  readonly range: DayRange;
}

/** Throws a Failure about the connection, the key or the answer. */
export async function fetchBill(call: BillCall, ports: CallPorts, signal: AbortSignal): Promise<readonly BillLine[]> {
  const { settings, source, range } = call;
  const { title } = settings.provider;
  const basePath = new URL(settings.baseUrl).pathname.replace(/\/+$/, "");
  const lines: BillLine[] = [];
  const asked = new Set<BillPath>();
  for (const first of source.paths(range, basePath, ports.clock.now())) {
    for (let path: BillPath | null = first; path !== null; ) {
      if (asked.has(path) || asked.size >= mostPages) {
        throw notAnAnswer(title, "the pages of its bill do not come to an end");
      }
      asked.add(path);
      const page = source.read(await pageAt(path, call, ports, signal), path, range);
      if (page === null) throw notAnAnswer(title, "its bill has another shape than its documentation says");
      for (const line of page.lines) lines.push(line);
      if (lines.length > mostLines) throw notAnAnswer(title, `its bill has more than ${mostLines} lines`);
      path = page.next;
    }
  }
  return lines;
}

async function pageAt(path: BillPath, call: BillCall, ports: CallPorts, signal: AbortSignal): Promise<unknown> {
  let waitedMs = 0;
  for (let tries = 1; ; tries += 1) {
    const outcome = await ask(path, call, ports, signal);
    if ("answer" in outcome) return outcome.answer;
    const waitMs = outcome.waitMs ?? unsaidWaitMs * 2 ** (tries - 1);
    if (!outcome.mayRetry || tries >= mostTries || waitedMs + waitMs > mostWaitMs) throw outcome.failure;
    waitedMs += waitMs;
    await waitFor(ports.clock, waitMs, signal);
  }
}

type Outcome =
  | { readonly answer: unknown }
  | { readonly failure: Failure; readonly mayRetry: boolean; readonly waitMs: number | null };

async function ask(path: BillPath, call: BillCall, ports: CallPorts, signal: AbortSignal): Promise<Outcome> {
  const { settings, secret } = call;
  const { title } = settings.provider;
  const control = callControl(signal);
  const cancel = ports.clock.after(limitMs, () => control.abort(tooLate(title, limitMs, "ended")));
  try {
    // The same host by construction: only what stands behind it is the source's.
    const there = { ...settings, baseUrl: new URL(settings.baseUrl).origin };
    const wish = { method: "GET" as const, path, headers: {}, body: null, secret, limitMs };
    const answer = await sendCall(there, wish, control, ports);
    const { text, isWhole } = await readText(answer, mostPageBytes).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : brokeOff(title, error);
    });
    answer.body.destroy();
    const status = answer.statusCode;
    if (status >= 200 && status < 300) {
      if (!isWhole) throw notAnAnswer(title, `a page of its bill is longer than ${mostPageBytes} bytes`);
      return { answer: parsed(text, title, headerOf(answer, "content-type")) };
    }
    const headers = plainHeaders(answer);
    const waitMs = coolDownMs(headers, ports.clock.now());
    return {
      failure: refusal(status, waitMs, headers["content-type"] ?? null, call),
      mayRetry: status === 429 || status >= 500,
      waitMs,
    };
  } finally {
    cancel();
    control.leave();
  }
}

function parsed(text: string, title: string, type: string | null): unknown {
  try {
    return exactJson(text);
  } catch {
    const what = mediaType(type) === "application/json" ? "no JSON" : describeType(type);
    throw notAnAnswer(title, `${what} where its bill should be`);
  }
}

/** The provider's own words are left out: they may repeat the key. */
function refusal(status: number, waitMs: number | null, type: string | null, { settings, source }: BillCall): Failure {
  const { id, provider } = settings;
  const { title } = provider;
  if (status >= 300 && status < 400) return redirected(title, status);
  if (status === 401 || status === 403) {
    return new Failure("upstream_key_refused", `${title} does not show its bill to this key (${status}).`, {
      why: `It needs ${source.key.words}.`,
      next: [`lanthorn provider add ${id} --bills-key < key.txt`],
    });
  }
  if (status === 429) {
    return new Failure("upstream_rate_limited", `${title} has had enough questions about its bill for now (429).`, {
      coolDownMs: waitMs,
      ...(waitMs === null ? {} : { retryAfterSeconds: waitMs / 1000 }),
    });
  }
  const where = mediaType(type) === "text/html" ? `${describeType(type)} (${status})` : `status ${status}`;
  return new Failure("upstream_failed", `${title} answers with ${where} where its bill should be.`, {
    why: status === 404 ? `Is the base URL right (${settings.baseUrl}), and are bills read at that address?` : "",
  });
}

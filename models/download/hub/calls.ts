/**
 * One call to the Hub or to where it leads: the token to the Hub alone, no compression, a limit on silence, redirects only
 * where `addresses.ts` allows. Runs in the server process and in commands.
 */
import { lookup as lookUp } from "node:dns/promises";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock } from "../../../server/domain/ports.ts";
import type { UpstreamFetch } from "../../../server/platform/upstream/upstream-fetch.ts";
import { asTrouble, DownloadTrouble } from "../trouble.ts";
import {
  innermost,
  mayHaveToken,
  mayLead,
  redirectTarget,
  refusedHost,
  type Scope,
  scopeOfAddress,
  scopeOfHost,
  tooManyRedirects,
} from "./addresses.ts";
import type { HubSettings } from "./endpoint.ts";
import { type Headers, headerOf } from "./refusals.ts";

const mostRedirects = 5;
const longestJsonBytes = 8 << 20;

export interface HubPorts {
  readonly upstream: UpstreamFetch;
  readonly clock: Clock;
  /** Every address of a name. */
  readonly lookup?: (hostname: string) => Promise<readonly string[]>;
  /** An answer that does not begin within this time is given up, and so is one that pauses for as long. */
  readonly silenceMs: number;
}

export interface Answer {
  /** Where it came from, behind all redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readable;
}

export interface CallOptions {
  readonly method: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Null: follow. Else asked for each redirect; true: hand the 3xx over as the answer. */
  readonly stopAt?: (target: URL, answer: Answer) => boolean;
}

export interface HubCalls {
  readonly hub: HubSettings;
  readonly clock: Clock;
  /** Any status is an answer. Throws DownloadTrouble, or the signal's reason. */
  call(url: URL, options: CallOptions): Promise<Answer>;
}

export function createHubCalls(hub: HubSettings, ports: HubPorts): HubCalls {
  const { upstream, clock, silenceMs } = ports;
  const lookup = ports.lookup ?? lookUpAll;
  const known = new Map<string, Promise<Scope>>();

  function scopeOf(url: URL): Promise<Scope> {
    const { hostname } = url;
    const scope = scopeOfHost(hostname);
    if (scope !== null) return Promise.resolve(scope);
    // A proxy looks names up itself, in a network of its own; here they may be unknown, or somebody else's.
    if (!upstream.isDirect(url)) return Promise.resolve("public");
    // What cannot be looked up cannot be connected to either.
    const asked =
      known.get(hostname) ??
      lookup(hostname).then(
        (addresses) => innermost(addresses.map(scopeOfAddress)),
        () => "public" as const,
      );
    known.set(hostname, asked);
    return asked;
  }

  async function checkRedirect(target: URL): Promise<void> {
    if (target.hostname === hub.endpoint.hostname) return;
    const [from, to] = await Promise.all([scopeOf(hub.endpoint), scopeOf(target)]);
    if (!mayLead(from, to)) throw refusedHost(target.host, to);
  }

  async function once(url: URL, options: CallOptions): Promise<Answer> {
    const token = mayHaveToken(url, hub.endpoint) ? hub.token : null;
    try {
      const reply: Dispatcher.ResponseData = await upstream.dispatcherFor(url).request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: options.method,
        headers: {
          "user-agent": "lanthorn",
          accept: "*/*",
          // Bytes as they lie there: their count and hash are what is compared.
          "accept-encoding": "identity",
          ...options.headers,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        signal: options.signal,
        headersTimeout: silenceMs,
        // Does not count while nobody reads, so a rate cap is no silence.
        bodyTimeout: silenceMs,
      });
      return { url, status: reply.statusCode, headers: reply.headers, body: reply.body };
    } catch (thrown) {
      options.signal.throwIfAborted();
      throw asTrouble(thrown);
    }
  }

  return {
    hub,
    clock,
    async call(url, options) {
      let target = url;
      for (let hop = 0; ; hop += 1) {
        const answer = await once(target, options);
        if (answer.status < 300 || answer.status > 399 || answer.status === 304) return answer;
        try {
          target = redirectTarget(headerOf(answer.headers, "location"), target);
          await checkRedirect(target);
          if (options.stopAt?.(target, answer) === true) return answer;
          if (hop >= mostRedirects) throw tooManyRedirects();
        } catch (thrown) {
          discard(answer.body);
          throw thrown;
        }
        discard(answer.body);
      }
    },
  };
}

async function lookUpAll(hostname: string): Promise<readonly string[]> {
  return (await lookUp(hostname, { all: true })).map(({ address }) => address);
}

/** Not wanted: the connection is closed rather than read to its end. */
export function discard(body: Readable): void {
  body.on("error", () => {});
  body.destroy();
}

/** A short JSON answer. Throws DownloadTrouble. */
export async function readJson(answer: Answer): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of answer.body as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > longestJsonBytes)
        throw new DownloadTrouble("not_the_file", { kind: "never" }, "The Hub's answer has no end.");
      pieces.push(piece);
    }
  } catch (thrown) {
    throw asTrouble(thrown);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch (cause) {
    throw new DownloadTrouble("not_the_file", { kind: "doubt" }, "The Hub answered something that is not JSON.", {
      why: "Is there a sign-in page between this box and the Hub?",
      cause,
    });
  }
}

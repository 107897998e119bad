/**
 * The header of a model file on another machine, read by Range before anything is downloaded. Runs in the server process and
 * in commands.
 *
 * The other side is not trusted: every piece must be exactly what was asked for, of the same file as the piece before, within
 * a limit of bytes and of time. A redirect to another host never sees the token.
 */
import type { Response } from "undici";
import { Failure } from "../../server/domain/failure.ts";
import type { Clock } from "../../server/domain/ports.ts";
import type { UpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import type { GgufHeader } from "./format.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { readHeaderFrom } from "./reader.ts";

export interface RemoteOptions {
  readonly upstream: UpstreamFetch;
  readonly clock: Clock;
  /** Sent to the host of the address and to no other; null: none. */
  readonly token: string | null;
  readonly signal?: AbortSignal;
  /** For all of it. */
  readonly limitMs?: number;
}

export interface RemoteHeader {
  readonly header: GgufHeader;
  /** SHA-256 of the whole file as the Hub says it; null: it does not. */
  readonly sha256: string | null;
  /** The commit that the answer came from; null: not said. */
  readonly revision: string | null;
  /** Bytes that were fetched for it. */
  readonly fetchedBytes: number;
}

const defaultLimitMs = 60_000;
const mostRedirects = 5;
const firstPieceBytes = 256 * 1024;
const mostPieceBytes = 8 * 1024 * 1024;

function wrong(reason: string, cause?: unknown): Failure {
  return new Failure("invalid_request", reason, cause === undefined ? {} : { cause });
}

/** What the answers said of the file; the same in each of them. */
interface Known {
  readonly totalBytes: number;
  readonly etag: string | null;
}

/** What stands on the way: the Hub's own words about the file, which the host that sends the bytes does not know. */
interface Linked {
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  readonly revision: string | null;
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly known: Known;
}

/** Throws Failure `invalid_request` with the end of a sentence: "it …", "the server …". */
export async function readRemoteHeader(url: string, options: RemoteOptions): Promise<RemoteHeader> {
  const limitMs = options.limitMs ?? defaultLimitMs;
  const over = new AbortController();
  const cancel = options.clock.after(limitMs, () => over.abort(wrong(`its header did not come within ${limitMs} ms`)));
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([over.signal, options.signal]);
  try {
    const remote = new RemoteFile(new URL(url), options, signal);
    const header = await readHeaderFrom(await remote.open());
    return { header, ...remote.said, fetchedBytes: remote.fetchedBytes };
  } catch (thrown) {
    if (over.signal.aborted && over.signal.reason instanceof Failure) throw over.signal.reason;
    if (options.signal?.aborted) throw options.signal.reason;
    throw thrown;
  } finally {
    cancel();
  }
}

class RemoteFile {
  readonly #origin: URL;
  readonly #options: RemoteOptions;
  readonly #signal: AbortSignal;
  /** Where the bytes really come from, with what may be sent there; null: to be asked for. */
  #source: { readonly url: URL; readonly token: string | null } | null = null;
  #linked: Linked = { sizeBytes: null, sha256: null, revision: null };
  #known: Known | null = null;
  fetchedBytes = 0;

  constructor(url: URL, options: RemoteOptions, signal: AbortSignal) {
    this.#origin = url;
    this.#options = options;
    this.#signal = signal;
  }

  get said(): { readonly sha256: string | null; readonly revision: string | null } {
    return { sha256: this.#linked.sha256, revision: this.#linked.revision };
  }

  async open(): Promise<RandomBytes> {
    const first = await this.#piece(0, firstPieceBytes);
    let kept: Piece | null = first;
    return {
      totalBytes: first.known.totalBytes,
      firstPieceBytes,
      mostPieceBytes,
      read: async (target, position) => {
        // The first piece was fetched to learn the length.
        const held = kept;
        kept = null;
        const bytes =
          held !== null && position === 0 && target.length <= held.bytes.length
            ? held.bytes.subarray(0, target.length)
            : (await this.#piece(position, target.length)).bytes;
        target.set(bytes);
        return bytes.length;
      },
    };
  }

  /** Exactly the bytes from `start`, `count` of them or up to the end. */
  async #piece(start: number, count: number): Promise<Piece> {
    let response = await this.#ask(start, count);
    // A link that expired: asked for again, once.
    if (this.#known !== null && (response.status === 401 || response.status === 403)) {
      await response.body?.cancel();
      this.#source = null;
      response = await this.#ask(start, count);
    }
    try {
      const known = this.#judge(response, start, count);
      const expected = Math.min(count, known.totalBytes - start);
      const bytes = await collect(response, expected);
      this.fetchedBytes += bytes.length;
      this.#known = known;
      return { bytes, known };
    } catch (thrown) {
      await response.body?.cancel().catch(() => {});
      throw thrown instanceof Failure || this.#signal.aborted
        ? thrown
        : wrong("the connection broke while its header was read", thrown);
    }
  }

  async #ask(start: number, count: number): Promise<Response> {
    let { url, token } = this.#source ?? { url: this.#origin, token: this.#options.token };
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      const response = await this.#fetch(url, token, `bytes=${start}-${start + count - 1}`);
      if (response.status < 300 || response.status >= 400) {
        this.#source = { url, token };
        return response;
      }
      await response.body?.cancel();
      this.#linked = linkedOf(response, this.#linked);
      const next = redirected(response, url);
      if (next.host !== url.host || next.protocol !== url.protocol) token = null;
      url = next;
    }
    throw wrong(`the server redirects more than ${mostRedirects} times`);
  }

  async #fetch(url: URL, token: string | null, range: string): Promise<Response> {
    const headers = {
      range,
      "accept-encoding": "identity",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
    try {
      return await this.#options.upstream.fetch(url, { headers, signal: this.#signal });
    } catch (thrown) {
      if (thrown instanceof Failure || this.#signal.aborted) throw thrown;
      throw wrong(`${url.host} cannot be reached`, thrown);
    }
  }

  /** Whether this answer is the piece that was asked for. */
  #judge(response: Response, start: number, count: number): Known {
    const { status, headers } = response;
    if (status !== 206) throw wrong(statusReason(status, headers.get("x-error-code")));
    if (/^text\/html\b/i.test(headers.get("content-type") ?? ""))
      throw wrong("the server sends a web page instead of the file");
    const encoding = headers.get("content-encoding");
    if (encoding !== null && encoding !== "identity")
      throw wrong("the server sends it compressed, which cannot be cut");
    const range = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(headers.get("content-range") ?? "");
    if (range === null) throw wrong("the server does not say which part it sends");
    const [from, to, totalBytes] = [Number(range[1]), Number(range[2]), Number(range[3])];
    if (from !== start || to !== Math.min(start + count, totalBytes) - 1)
      throw wrong("the server sends another part than was asked for");
    const length = headers.get("content-length");
    if (length !== null && Number(length) !== to - from + 1) throw wrong("the server's lengths contradict each other");
    const { sizeBytes } = this.#linked;
    if (sizeBytes !== null && sizeBytes !== totalBytes) {
      throw wrong(`it is ${totalBytes} bytes long, but the Hub says ${sizeBytes}`);
    }
    const etag = headers.get("etag");
    const known = this.#known;
    if (known !== null && (known.totalBytes !== totalBytes || known.etag !== etag)) {
      throw wrong("it changed on the server while its header was read");
    }
    return { totalBytes, etag };
  }
}

function redirected(response: Response, from: URL): URL {
  const location = response.headers.get("location");
  if (location === null || !URL.canParse(location, from.href)) throw wrong("the server redirects to nowhere");
  const to = new URL(location, from);
  if (to.protocol !== "https:" && to.protocol !== from.protocol)
    throw wrong("the server redirects to an address that is not secure");
  return to;
}

function linkedOf(response: Response, before: Linked): Linked {
  const size = response.headers.get("x-linked-size");
  const etag = /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(response.headers.get("x-linked-etag") ?? "")?.[1];
  return {
    sizeBytes: size !== null && /^\d{1,16}$/.test(size) ? Number(size) : before.sizeBytes,
    sha256: etag?.toLowerCase() ?? before.sha256,
    revision: /^[0-9a-f]{40}$/.exec(response.headers.get("x-repo-commit") ?? "")?.[0] ?? before.revision,
  };
}

function statusReason(status: number, errorCode: string | null): string {
  if (status === 200) return "the server ignores the wish for a part and would send the whole file";
  if (errorCode === "GatedRepo")
    return "its publisher wants its terms accepted first, on its page, and a token of yours (HF_TOKEN)";
  if (errorCode === "RevisionNotFound") return "there is no such revision";
  if (errorCode === "EntryNotFound") return "there is no such file in the repository";
  if (status === 401 || status === 403) return "the server does not let us read it: a token may be needed (HF_TOKEN)";
  if (status === 404) return "there is no such file or repository";
  if (status === 416) return "the server says it is empty";
  if (status === 429) return "the server has had enough questions for now; try again in a few minutes";
  return `the server answers ${status}`;
}

/** Not a byte more than expected is kept, and not one fewer is enough. */
async function collect(response: Response, expectedBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(expectedBytes);
  let filled = 0;
  for await (const piece of response.body ?? []) {
    const part: Uint8Array = piece;
    if (filled + part.length > expectedBytes) throw wrong("the server sends more than was asked for");
    bytes.set(part, filled);
    filled += part.length;
  }
  if (filled < expectedBytes) throw wrong("the server sends less than it said");
  return bytes;
}

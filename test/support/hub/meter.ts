/** What the stand-in Hub has seen and given: bytes per file, ranges asked for, and who was shown a token. */

export interface AskedRange {
  readonly file: string;
  readonly range: string | null;
  readonly status: number;
}

export interface Meter {
  /** Handed to the network, by file. */
  bytes(file?: string): number;
  readonly ranges: readonly AskedRange[];
  /** By host and port: how many requests had an Authorization header, and how many had none. */
  readonly hosts: ReadonlyMap<string, { readonly withToken: number; readonly without: number }>;
  /** Method and path of every request, in order. */
  readonly requests: readonly string[];
}

export class HubMeter implements Meter {
  readonly ranges: AskedRange[] = [];
  readonly hosts = new Map<string, { withToken: number; without: number }>();
  readonly requests: string[] = [];
  readonly #bytes = new Map<string, number>();

  bytes(file?: string): number {
    if (file !== undefined) return this.#bytes.get(file) ?? 0;
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  served(file: string, bytes: number): void {
    this.#bytes.set(file, this.bytes(file) + bytes);
  }

  saw(host: string, line: string, authorization: string | undefined): void {
    this.requests.push(line);
    const seen = this.hosts.get(host) ?? { withToken: 0, without: 0 };
    if (authorization === undefined) seen.without += 1;
    else seen.withToken += 1;
    this.hosts.set(host, seen);
  }

  asJson(): object {
    const files = Object.fromEntries(this.#bytes);
    return { bytes: this.bytes(), files, hosts: Object.fromEntries(this.hosts), ranges: this.ranges };
  }
}

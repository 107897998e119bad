/**
 * How this box reaches the Lanthorn on each of its rented machines: its key, and over which line. Runs in the server of the box that rents.
 *
 * Each machine gets a first key of its own, derived from one secret of this box and its label, so that nothing has to be kept for it and one
 * machine's key is no use for another. A machine at a plain address serves TLS with a certificate of its own, which is learned once from
 * who can prove the first key, and pinned; one behind a market's proxy has the proxy's.
 */
import { createHmac, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { Clock, Log } from "../../domain/ports.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { isAdopted } from "../../domain/rental/lease-record.ts";
import { Failure } from "../../domain/failure.ts";
import { readOwnerFile, writeOwnerFile } from "../../platform/owner-file.ts";
import { createUpstreamFetch, type UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { MarketSetting, RentalSetting } from "../../config/rental-setting.ts";
import { learnCertificate } from "./learn-certificate.ts";

export interface MachineWay {
  readonly url: string;
  readonly key: string | null;
  readonly upstream: UpstreamFetch;
}

export interface MachineWaysParts {
  /** Absolute; 0600; made when first needed. */
  readonly secretFile: string;
  /** `rentals:` of the settings. */
  readonly rentals: Readonly<Record<string, Pick<RentalSetting, "environment">>>;
  /** `markets:` of the settings. */
  readonly markets: Readonly<Record<string, Pick<MarketSetting, "tls" | "type">>>;
  /** Keys from files of the settings, by rental. */
  readonly keys: ReadonlyMap<string, string | null>;
  readonly upstream: UpstreamFetch;
  readonly clock: Clock;
  readonly log: Log;
  knowSecret(secret: string): void;
}

export interface MachineWays {
  /** What the machine has as LANTHORN_FIRST_KEY: what the settings hand to it, else its own. It proves who it is. */
  firstKeyOf(lease: Pick<LeaseView, "rental" | "label">): string;
  /** Null: not known yet. */
  reach(lease: LeaseView): MachineWay | null;
  /** Learns what is not known yet. Throws what the machine or the connection says. */
  learn(lease: LeaseView, signal: AbortSignal): Promise<MachineWay | null>;
  /** A lease has ended: its line is closed. */
  forget(lease: number): void;
  close(): void;
}

export function createMachineWays(parts: MachineWaysParts): MachineWays {
  /** By lease: its own line, to where it was last. */
  const pinned = new Map<number, { readonly url: string; readonly upstream: UpstreamFetch }>();
  let secret: string | null = null;

  const own = (label: string) => {
    secret ??= openSecret(parts.secretFile);
    return createHmac("sha256", secret).update(label).digest("hex");
  };
  const firstKeyOf: MachineWays["firstKeyOf"] = ({ rental, label }) => {
    const stated = rental === null ? undefined : parts.rentals[rental]?.environment.LANTHORN_FIRST_KEY;
    const key = stated ?? own(label);
    parts.knowSecret(key);
    return key;
  };
  /** What requests carry: a key of the settings' own file, where there is one. */
  const keyOf = (lease: LeaseView) => {
    const ofFile = lease.rental === null ? undefined : parts.keys.get(lease.rental);
    // Nobody has handed a first key to a machine of the settings.
    if (isAdopted(lease)) return ofFile ?? null;
    return ofFile ?? firstKeyOf(lease);
  };
  /** Reached as its market or the settings write it down. */
  const isAsWritten = ({ market, address }: LeaseView) => {
    const setting = parts.markets[market];
    return address?.startsWith("https:") === true || setting?.tls === "off" || (setting?.type ?? market) === "static";
  };
  const addressOf = (lease: LeaseView) => {
    const { address } = lease;
    if (address === null) return null;
    return isAsWritten(lease) ? address : address.replace(/^http:/, "https:");
  };
  const wayOf = (lease: LeaseView): MachineWay | null => {
    const url = addressOf(lease);
    if (url === null) return null;
    // Behind a proxy of the market, or in the clear because the settings say so.
    if (url === lease.address) return { url, key: keyOf(lease), upstream: parts.upstream };
    const own = pinned.get(lease.id);
    return own?.url === url ? { url, key: keyOf(lease), upstream: own.upstream } : null;
  };
  const forget = (lease: number) => {
    void pinned.get(lease)?.upstream.close();
    pinned.delete(lease);
  };

  return {
    firstKeyOf,
    reach: wayOf,
    async learn(lease, signal) {
      const url = addressOf(lease);
      if (url !== null && wayOf(lease) === null) {
        const fingerprint = await learnCertificate(url, firstKeyOf(lease), signal);
        // It may have ended meanwhile.
        signal.throwIfAborted();
        forget(lease.id);
        const upstream = createUpstreamFetch({
          environment: {},
          caFile: "",
          fingerprint,
          headersTimeoutMs: 0,
          bodyTimeoutMs: 0,
        });
        pinned.set(lease.id, { url, upstream });
        parts.log.info({ lease: lease.id, fingerprint }, "a rented machine has proven its certificate");
      }
      return wayOf(lease);
    },
    forget,
    close() {
      for (const lease of [...pinned.keys()]) forget(lease);
    },
  };
}

function openSecret(file: string): string {
  if (!existsSync(file)) writeOwnerFile(file, `${randomBytes(32).toString("hex")}\n`);
  const text = readOwnerFile(file)?.trim() ?? "";
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new Failure("cannot_start", `The secret of this box for its rented machines cannot be used: ${file}.`, {
    why: "It must be one line of 64 hex digits, readable by its owner only. Machines rented with another one do not know this box.",
    next: [`mv ${file} ${file}.old`],
  });
}

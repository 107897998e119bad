/**
 * Learns which certificate a rented machine shows, from the machine itself: nobody signs certificates for an address that was rented
 * five minutes ago, but the machine knows the first key, and whoever stands between does not. Runs in the server of the box that rents.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { proofText } from "../../domain/rental/messages.ts";
import { WrongFingerprint } from "../../platform/upstream/pin.ts";
import { createUpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import { sharedSecret } from "../shared-secret.ts";

const proven = z.object({ fingerprint: z.string().max(200), proof: z.string().max(100) });

/**
 * SHA-256 of the certificate at `url` (`https://host:port`), for `createUpstreamFetch` and `providers.<name>.fingerprint`. The key is not
 * sent. Throws Failure `upstream_unreachable`, and `upstream_failed` where it is not proven to be the machine's own.
 */
export async function learnCertificate(url: string, firstKey: string, signal: AbortSignal): Promise<string> {
  const shown = await shownCertificate(url, signal);
  const nonce = randomBytes(24).toString("base64url");
  const way = createUpstreamFetch({ environment: {}, caFile: "", fingerprint: shown });
  try {
    const answer = await way.fetch(`${url}/rental/proof/${nonce}`, { signal });
    const parsed = answer.ok ? proven.safeParse(await answer.json()) : null;
    if (parsed?.success !== true) throw notProven(url);
    const { fingerprint, proof } = parsed.data;
    if (fingerprint !== shown || !sharedSecret(firstKey).isSigned(proofText(nonce, shown), proof)) throw notProven(url);
    return shown;
  } finally {
    await way.close();
  }
}

/** Asked for with a fingerprint that no certificate has: nothing is sent, and the refusal says what was shown. */
async function shownCertificate(url: string, signal: AbortSignal): Promise<string> {
  const way = createUpstreamFetch({ environment: {}, caFile: "", fingerprint: "none yet" });
  try {
    await way.fetch(url, { signal });
  } catch (thrown) {
    const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
    if (cause instanceof WrongFingerprint) return cause.shown;
    throw new Failure("upstream_unreachable", `No TLS server answers at ${url}.`, { cause: thrown });
  } finally {
    await way.close();
  }
  throw notProven(url);
}

function notProven(url: string): Failure {
  return new Failure("upstream_failed", `The certificate at ${url} is not proven to be the rented machine's own.`);
}

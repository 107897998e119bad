/**
 * A certificate and its key as text, and what is in them. Runs in the server and the CLI; imports node and domain only.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { Failure } from "../../domain/failure.ts";
import { certificateName } from "./names.ts";

export interface TlsMaterial {
  /** PEM, the box's own first; others up to a root may follow. */
  readonly cert: string;
  /** PEM; never leaves this process. */
  readonly key: string;
  /** SHA-256 of the certificate, as browsers and openssl print it: `AB:CD:…`, 95 characters. */
  readonly fingerprint: string;
  readonly notAfterMs: number;
  /** DNS names and addresses it is for. */
  readonly names: readonly string[];
}

/** Reads a pair. Throws an Error with a sentence that says what is wrong with it. */
export function readMaterial(cert: string, key: string): TlsMaterial {
  const certificate = orSay("the certificate is not one in PEM form", () => new X509Certificate(cert));
  const privateKey = orSay("the key is not one in PEM form, or it has a passphrase", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error("the key does not belong to the certificate");
  return {
    cert,
    key,
    fingerprint: certificate.fingerprint256,
    notAfterMs: certificate.validToDate.getTime(),
    names: namesOf(certificate.subjectAltName),
  };
}

function orSay<Result>(sentence: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new Error(sentence, { cause });
  }
}

/** `DNS:localhost, IP Address:127.0.0.1` → names as we compare them. */
function namesOf(subjectAltName: string | undefined): readonly string[] {
  return (subjectAltName ?? "").split(", ").flatMap((entry) => {
    const host = /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1];
    if (host === undefined) return [];
    // Node writes IPv6 addresses out; as URLs do, the shortest form is compared.
    const short =
      host.includes(":") && URL.canParse(`http://[${host}]/`) ? new URL(`http://[${host}]/`).hostname : host;
    return certificateName(short) ?? [];
  });
}

/** Any way people write a fingerprint (`ab:cd…`, `SHA256 AB:CD…`, plain hex) as we do; null when it is none. */
export function readFingerprint(text: string): string | null {
  const hex = text
    .trim()
    .replace(/^sha-?256[\s:=]*(fingerprint[\s:=]*)?/i, "")
    .replace(/[:\s-]/g, "");
  return /^[0-9a-f]{64}$/i.test(hex) ? (hex.toUpperCase().match(/../g) ?? []).join(":") : null;
}

export function cannotUseCertificate(file: string, why: string, cause?: unknown): Failure {
  return new Failure("cannot_start", `The certificate of this box cannot be used: ${file}.`, {
    cause,
    why: `${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
    next: ["lanthorn serve --tls", `openssl x509 -noout -subject -dates -in ${file}`],
  });
}

/**
 * Whom this box trusts to say who somebody is: what Node trusts, and the authorities of the owner on top. Runs in the
 * server and the CLI.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { getCACertificates } from "node:tls";
import { Failure } from "../../domain/failure.ts";

export interface AuthoritySources {
  /** `network.caFile`, absolute; empty: none. */
  readonly caFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `network.caFile` as a path: a relative one lies in the data folder. Empty: none. */
export function caFilePath(caFile: string, home: string): string {
  return caFile === "" ? "" : resolve(home, caFile);
}

/**
 * Certificates in PEM form for a TLS connection; null: Node's own, unchanged. The variables name files as for other
 * programs, but here they add to what is trusted and take nothing away. Throws Failure `cannot_start` that names a file
 * which cannot be used: to go on without it would fail later, with words that nobody understands.
 */
export function trustedAuthorities({ caFile, environment }: AuthoritySources): string[] | null {
  const files: (readonly [where: string, file: string | undefined])[] = [
    ["network.caFile", caFile],
    ["SSL_CERT_FILE", environment.SSL_CERT_FILE],
    ["NODE_EXTRA_CA_CERTS", environment.NODE_EXTRA_CA_CERTS],
  ];
  const own = files.flatMap(([where, file]) => (file ? certificatesOf(where, file) : []));
  return own.length === 0 ? null : [...new Set([...getCACertificates("default"), ...own])];
}

function certificatesOf(where: string, file: string): readonly string[] {
  let why = "The file is not there, or this user may not read it.";
  try {
    const text = readFileSync(file, "utf8");
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    why = blocks.length === 0 ? "There is no certificate in PEM form in it." : "A certificate in it is damaged.";
    for (const block of blocks) new X509Certificate(block);
    if (blocks.length > 0) return blocks;
  } catch (cause) {
    throw cannotTrust(where, file, why, cause);
  }
  throw cannotTrust(where, file, why);
}

function cannotTrust(where: string, file: string, why: string, cause?: unknown): Failure {
  return new Failure("cannot_start", `The certificate authorities of ${where} cannot be used: ${file}.`, {
    cause,
    why,
    next: [`openssl x509 -noout -subject -in ${file}`],
    param: where,
  });
}

/** A certificate authority of a company, made for one test, and a certificate that it signed. */
import { X509Certificate } from "node:crypto";
import { generate } from "selfsigned";

export interface Pair {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface PrivateAuthority {
  readonly authority: Pair;
  readonly leaf: Pair;
}

/** `hosts` are DNS names, or addresses when they look like one. */
export async function privateAuthority(hosts: readonly string[]): Promise<PrivateAuthority> {
  const kind = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;
  const authority = await generate([{ name: "commonName", value: "Test authority" }], {
    ...kind,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const altNames = hosts.map((host) =>
    /^[\d.]+$|:/.test(host) ? { type: 7 as const, ip: host } : { type: 2 as const, value: host },
  );
  const leaf = await generate([{ name: "commonName", value: "Test server" }], {
    ...kind,
    ca: { cert: authority.cert, key: authority.private },
    extensions: [
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames },
    ],
  });
  return {
    authority: { cert: authority.cert, key: authority.private },
    leaf: { cert: leaf.cert, key: leaf.private },
  };
}

/** A pair for a stand-in server on loopback, with its fingerprint. */
export async function stubCertificate(): Promise<Pair & { readonly fingerprint: string }> {
  const { leaf } = await privateAuthority(["localhost", "127.0.0.1"]);
  return { ...leaf, fingerprint: new X509Certificate(leaf.cert).fingerprint256 };
}

/**
 * The certificate that the box makes for itself: kept in the data folder, made anew when it must be, with the same key.
 * Runs in the server, under the data lock. Loads the certificate library only to make one.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { isIP } from "node:net";
import { readOwnerFile, writeOwnerFile } from "../owner-file.ts";
import { readMaterial, type TlsMaterial } from "./certificate.ts";
import { type CertificateOrder, certificateOrder } from "./names.ts";

/** Apple's systems refuse certificates that are valid for more than 825 days, whoever signed them. */
const validMs = 820 * 86_400_000;
/** Clients whose clock is a little behind accept it too. */
const earlierMs = 86_400_000;

export interface OwnCertificate {
  readonly material: TlsMaterial;
  /** Why it was made in this very call; null: it was there. */
  readonly made: Extract<CertificateOrder, { make: true }>["reason"] | null;
}

export interface OwnCertificatePlaces {
  readonly tlsCertificate: string;
  readonly tlsKey: string;
}

/** Throws what the file system throws when it cannot be kept. */
export async function ownCertificate(
  places: OwnCertificatePlaces,
  wanted: readonly string[],
  nowMs: number,
): Promise<OwnCertificate> {
  const key = readOwnerFile(places.tlsKey);
  const have = stored(readOwnerFile(places.tlsCertificate), key);
  const order = certificateOrder(have, wanted, nowMs);
  if (!order.make) return { material: have ?? unreachable(), made: null };
  const material = await make(order.names, usableKey(key), nowMs);
  // The key first: a certificate without its key is made anew, a key without a certificate is used again.
  if (material.key !== key) writeOwnerFile(places.tlsKey, material.key);
  writeOwnerFile(places.tlsCertificate, material.cert);
  return { material, made: order.reason };
}

function stored(cert: string | null, key: string | null): TlsMaterial | null {
  if (cert === null || key === null) return null;
  try {
    return readMaterial(cert, key);
  } catch {
    return null;
  }
}

/** The key that was there, so that whoever pinned the public key need not notice; null: make one. */
function usableKey(key: string | null): string | null {
  if (key === null) return null;
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(key);
    return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
  } catch {
    return null;
  }
}

async function make(names: readonly string[], key: string | null, nowMs: number): Promise<TlsMaterial> {
  const { generate } = await import("selfsigned");
  const made = await generate([{ name: "commonName", value: "Lanthorn" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate: new Date(nowMs - earlierMs),
    notAfterDate: new Date(nowMs + validMs),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
    ...(key === null
      ? {}
      : {
          keyPair: {
            privateKey: key,
            publicKey: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
          },
        }),
  });
  return readMaterial(withEnd(made.cert), key ?? withEnd(made.private));
}

function withEnd(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function unreachable(): never {
  throw new Error("a certificate that is kept must be there");
}

/**
 * What a box says of itself on the LAN, and how others read it. Pure. Everybody on the network hears it, so it names no
 * person, no model and no key; and anybody may have said what is read here, so it is checked and short.
 */
import { readFingerprint } from "../tls/certificate.ts";

/** `_lanthorn._tcp`. */
export const serviceType = "lanthorn";

export interface Announcement {
  /** The host name. */
  readonly name: string;
  /** `boxId`: tells two boxes of one name apart. */
  readonly box: string;
  readonly version: string;
  /** SHA-256 of the certificate; null: it speaks plain HTTP. */
  readonly fingerprint: string | null;
  readonly keyNeeded: boolean;
}

/** Longest DNS label. */
const longestLabelBytes = 63;

/** The name of the service: unique on the network without asking, so that nothing has to be renamed. */
export function instanceName({ name, box }: Announcement): string {
  const suffix = `-${box.slice(0, 6)}`;
  return `${hostLabel(name).slice(0, longestLabelBytes - suffix.length)}${suffix}`;
}

/** The host name without its domain, in letters that every resolver takes. */
export function hostLabel(name: string): string {
  const label = (name.split(".")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, "-")
    .replace(/^-+|-+$/g, "");
  return label.slice(0, longestLabelBytes) || "lanthorn";
}

export function txtOf(announcement: Announcement): Readonly<Record<string, string>> {
  const { name, box, version, fingerprint, keyNeeded } = announcement;
  return {
    txtvers: "1",
    name: hostLabel(name),
    id: box,
    v: version,
    tls: fingerprint === null ? "0" : "1",
    ...(fingerprint === null ? {} : { fp: fingerprint.replaceAll(":", "").toLowerCase() }),
    auth: keyNeeded ? "key" : "none",
  };
}

/** Null: it is not one of ours, or of a version that says other things. */
export function readTxt(txt: Readonly<Record<string, unknown>>): Announcement | null {
  const text = (key: string, shape: RegExp): string | null => {
    const value = Object.hasOwn(txt, key) ? txt[key] : undefined;
    return typeof value === "string" && shape.test(value) ? value : null;
  };
  const name = text("name", /^[a-z0-9-]{1,63}$/i);
  const box = text("id", /^[0-9a-f]{12}$/);
  const version = text("v", /^[\w.+-]{1,40}$/);
  const tls = text("tls", /^[01]$/);
  const fingerprint = readFingerprint(text("fp", /^[0-9a-f]{64}$/i) ?? "");
  if (name === null || box === null || version === null || tls === null) return null;
  if ((tls === "1") !== (fingerprint !== null)) return null;
  return { name, box, version, fingerprint, keyNeeded: text("auth", /^none$/) === null };
}

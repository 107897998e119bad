/** The certificate of a box: made, kept, renewed; or the owner's own, or a sentence why not. */
import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createDataFolder, type DataPaths, dataPaths } from "../../../../server/platform/paths.ts";
import { readFingerprint } from "../../../../server/platform/tls/certificate.ts";
import { openTls, type TlsOptions } from "../../../../server/platform/tls/tls.ts";
import { type ManualClock, manualClock } from "../../../support/manual-clock.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { privateAuthority } from "../../../support/certificates.ts";

interface Bench {
  readonly paths: DataPaths;
  readonly clock: ManualClock;
  readonly log: ReturnType<typeof recordedLog>;
  readonly options: TlsOptions;
}

const dayMs = 86_400_000;

function bench(change: Partial<TlsOptions> = {}): Bench {
  const paths = dataPaths({ LANTHORN_HOME: temporaryFolder() });
  createDataFolder(paths);
  const clock = manualClock(Date.now());
  const log = recordedLog();
  const settings = { mode: "self-signed", cert: "", key: "" } as const;
  const names = () => ["atlas", "atlas.local", "192.168.1.20"];
  return { paths, clock, log, options: { settings, paths, hosts: [], clock, log, names, ...change } };
}

async function opened(options: TlsOptions) {
  const tls = await openTls(options);
  if (tls === null) throw new Error("TLS is off");
  return tls;
}

describe("a certificate of its own", () => {
  test("is for every name of the box, readable by its owner only, and stays over restarts", async () => {
    const { paths, options } = bench({ hosts: ["box.example:8443"] });
    const { fingerprint } = (await opened(options)).material();
    const certificate = new X509Certificate(readFileSync(paths.tlsCertificate));
    for (const host of ["localhost", "atlas", "atlas.local", "box.example"]) {
      expect(certificate.checkHost(host), host).toBe(host);
    }
    for (const address of ["127.0.0.1", "::1", "192.168.1.20"])
      expect(certificate.checkIP(address), address).toBe(address);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(certificate.ca).toBe(false);
    const days = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / dayMs;
    // Apple's systems refuse more than 825.
    expect(days).toBeLessThanOrEqual(825);
    expect(statSync(paths.tlsKey).mode & 0o777).toBe(0o600);
    expect(fingerprint).toBe(certificate.fingerprint256);
    expect((await opened(options)).material().fingerprint).toBe(fingerprint);
  });

  test("is made anew when a name comes or its end is near, with the same key; a lost or foreign key makes another", async () => {
    const { paths, clock, options } = bench();
    const first = (await opened(options)).material();
    const publicKey = () =>
      new X509Certificate(readFileSync(paths.tlsCertificate)).publicKey.export({ type: "spki", format: "pem" });
    const before = publicKey();
    const moved = (await opened({ ...options, names: () => ["atlas", "10.0.0.7"] })).material();
    expect(moved.fingerprint).not.toBe(first.fingerprint);
    expect(moved.names).toEqual(expect.arrayContaining(["192.168.1.20", "10.0.0.7"]));
    expect((await opened(options)).material().fingerprint).toBe(moved.fingerprint);
    clock.advance(761 * dayMs);
    const renewed = (await opened(options)).material();
    expect(renewed.notAfterMs).toBeGreaterThan(moved.notAfterMs);
    expect(publicKey()).toBe(before);
    rmSync(paths.tlsKey);
    await opened(options);
    expect(publicKey()).not.toBe(before);
    writeFileSync(paths.tlsKey, "rubbish");
    expect((await opened(options)).material().key).toContain("PRIVATE KEY");
  });

  test("a box that runs on looks once a day, and takes a new one into use without a restart", async () => {
    const { clock, log, options } = bench();
    const tls = await opened(options);
    const before = tls.material().fingerprint;
    let given = "";
    const taken = new Promise<void>((resolve) => {
      const stop = tls.keepFresh({
        setSecureContext: ({ cert }) => {
          given = new X509Certificate(String(cert)).fingerprint256;
          stop();
          resolve();
        },
      });
    });
    clock.advance(765 * dayMs);
    await taken;
    await expect.poll(() => tls.material().fingerprint).toBe(given);
    expect(given).not.toBe(before);
    expect(log.lines).toContain("warn: the certificate of this box is a new one");
  });
});

describe("the owner's files", () => {
  const files = (cert: string, key: string) => ({ settings: { mode: "files", cert, key } }) as const;

  test("are used as they are; relative names lie in the data folder", async () => {
    const { paths, options } = bench(files("mine.crt", "mine.key"));
    const { leaf } = await privateAuthority(["box.example"]);
    writeFileSync(join(paths.home, "mine.crt"), leaf.cert);
    writeFileSync(join(paths.home, "mine.key"), leaf.key);
    const material = (await opened(options)).material();
    expect(material).toMatchObject({
      fingerprint: new X509Certificate(leaf.cert).fingerprint256,
      names: ["box.example"],
    });
  });

  test("that are wrong stop the start with a sentence", async () => {
    const { leaf, authority } = await privateAuthority(["box.example"]);
    const why = async (cert: string | null, key: string | null): Promise<string> => {
      const { paths, options } = bench(files(cert === null ? "" : "a.crt", key === null ? "" : "a.key"));
      if (cert) writeFileSync(join(paths.home, "a.crt"), cert);
      if (key) writeFileSync(join(paths.home, "a.key"), key);
      return openTls(options).then(
        () => "it started",
        (failure: { code: string; why: string }) => `${failure.code}: ${failure.why}`,
      );
    };
    expect(await why(null, "x")).toBe("cannot_start: Both a certificate and its key are needed, in PEM form.");
    expect(await why("", leaf.key)).toMatch(/^cannot_start: The file is not there/);
    expect(await why(leaf.cert, "")).toMatch(/^cannot_start: The file is not there/);
    expect(await why("rubbish", leaf.key)).toMatch(/^cannot_start: The certificate is not one in PEM form/);
    expect(await why(leaf.cert, "rubbish")).toMatch(/^cannot_start: The key is not one/);
    expect(await why(leaf.cert, authority.key)).toBe("cannot_start: The key does not belong to the certificate.");
  });
});

test("a fingerprint is read however it is written", () => {
  const hex = "0123456789abcdef".repeat(4);
  const ours = (hex.toUpperCase().match(/../g) ?? []).join(":");
  for (const text of [hex, ours, ` ${ours}\n`, `sha256 Fingerprint=${ours}`, `SHA-256 ${ours}`, `SHA256:${hex}`]) {
    expect(readFingerprint(text), text).toBe(ours);
  }
  for (const text of ["", hex.slice(1), `${hex}0`, "AB:CD", hex.replace("0", "g")])
    expect(readFingerprint(text)).toBeNull();
});

test("off is off", async () => {
  expect(await openTls(bench({ settings: { mode: "off", cert: "x", key: "y" } }).options)).toBeNull();
});

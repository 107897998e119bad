/**
 * TLS of the box: off, a certificate of its own, or the owner's files; and keeping it fresh while the box runs. Runs in
 * the server, under the data lock.
 */
import { readFileSync } from "node:fs";
import type { Server } from "node:https";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import type { DataPaths } from "../paths.ts";
import { machineNames } from "../machine-names.ts";
import { cannotUseCertificate, readMaterial, type TlsMaterial } from "./certificate.ts";
import { wantedNames } from "./names.ts";
import { ownCertificate } from "./own-certificate.ts";

export interface TlsSettings {
  readonly mode: "off" | "self-signed" | "files";
  /** Files of the owner; relative ones lie in the data folder. Empty: not given. */
  readonly cert: string;
  readonly key: string;
}

export interface TlsOptions {
  readonly settings: TlsSettings;
  readonly paths: DataPaths;
  /** `hosts` of the settings: names to put into a certificate of our own. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly names?: () => readonly string[];
}

export interface Tls {
  /** What is in use now. */
  material(): TlsMaterial;
  /** Looks once a day whether there is a newer one, and uses it for new connections. Returns how to stop looking. */
  keepFresh(server: Pick<Server, "setSecureContext">): () => void;
}

const lookAgainMs = 86_400_000;

/** Null: TLS is off. Throws Failure `cannot_start` that says what is wrong with which file. */
export async function openTls(options: TlsOptions): Promise<Tls | null> {
  const { settings, clock, log } = options;
  if (settings.mode === "off") return null;
  const load = settings.mode === "files" ? () => readOwners(options) : () => readOwn(options);
  let current = await load();

  async function refresh(server: Pick<Server, "setSecureContext">): Promise<void> {
    try {
      const next = await load();
      if (next.fingerprint === current.fingerprint) return;
      server.setSecureContext({ cert: next.cert, key: next.key, minVersion: "TLSv1.2" });
      current = next;
      log.warn({ fingerprint: next.fingerprint }, "the certificate of this box is a new one");
    } catch (error) {
      log.warn({ error }, "the certificate of this box could not be renewed; the old one stays in use");
    }
  }

  return {
    material: () => current,
    keepFresh(server) {
      let cancel = () => {};
      const arm = () => {
        cancel = clock.after(lookAgainMs, () => {
          void refresh(server);
          arm();
        });
      };
      arm();
      return () => cancel();
    },
  };
}

async function readOwn({ paths, hosts, clock, log, names = machineNames }: TlsOptions): Promise<TlsMaterial> {
  try {
    const { material, made } = await ownCertificate(paths, wantedNames(names(), hosts), clock.now());
    if (made !== null) log.info({ fingerprint: material.fingerprint, reason: made }, "made a certificate for this box");
    return material;
  } catch (cause) {
    throw new Failure("cannot_start", `A certificate cannot be kept in ${paths.home}.`, {
      cause,
      why: cause instanceof Error ? cause.message : String(cause),
      next: [`ls -l ${paths.tlsCertificate} ${paths.tlsKey}`],
    });
  }
}

async function readOwners({ settings, paths, clock, log }: TlsOptions): Promise<TlsMaterial> {
  for (const name of ["cert", "key"] as const) {
    if (settings[name] === "") {
      throw new Failure("cannot_start", `tls.mode is "files", but tls.${name} names none.`, {
        why: "Both a certificate and its key are needed, in PEM form.",
        next: ["lanthorn serve --tls"],
        param: `tls.${name}`,
      });
    }
  }
  const [certFile, keyFile] = [ownersFile(settings.cert, paths), ownersFile(settings.key, paths)];
  const [cert, key] = [readText(certFile), readText(keyFile)];
  let material: TlsMaterial;
  try {
    material = readMaterial(cert, key);
  } catch (thrown) {
    throw cannotUseCertificate(certFile, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
  if (material.notAfterMs <= clock.now()) {
    // Clients will say so themselves, and a wrong clock must not keep the box from starting.
    log.warn({ file: certFile, notAfter: new Date(material.notAfterMs) }, "the certificate of this box has expired");
  }
  return material;
}

function ownersFile(path: string, paths: DataPaths): string {
  return resolve(paths.home, path.replace(/^~(?=[\\/])/, homedir()));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw cannotUseCertificate(file, "the file is not there, or this user may not read it", cause);
  }
}

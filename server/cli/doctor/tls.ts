/** Is what travels encrypted, and with which certificate? Its fingerprint is what people compare. */
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { systemClock } from "../../platform/clock.ts";
import { isLoopback } from "../../platform/listen.ts";
import { createLog } from "../../platform/log.ts";
import { readOwnerFile } from "../../platform/owner-file.ts";
import { readMaterial } from "../../platform/tls/certificate.ts";
import { openTls } from "../../platform/tls/tls.ts";
import { configAnswer } from "../answers.ts";
import { withClient } from "../client.ts";
import { dateText } from "../format.ts";
import { type Check, type CheckContext, type Finding, note, ok } from "./check.ts";

export const tlsCheck: Check = {
  title: "Encryption",
  look: async (context) => {
    const { server } = context;
    if (server?.fingerprint != null) return ok(`the server shows the certificate SHA-256 ${server.fingerprint}`);
    const settings = readSettings(context);
    if (settings === null) return note("not looked at: the settings cannot be read");
    if (server?.url.startsWith("https:")) return ok("the server's certificate is known to this machine");
    if (server !== null) return judgeOff((await hostOf(server)) ?? settings.host);
    if (settings.tls.mode === "off") return judgeOff(settings.host);
    return settings.tls.mode === "files" ? lookAtFiles(context, settings) : lookAtOwn(context);
  },
};

function readSettings({ paths, environment, workingFolder }: CheckContext): Config | null {
  try {
    return loadConfig({ file: paths.config, environment, flags: [], workingFolder }).values;
  } catch {
    return null;
  }
}

/** What the running server really listens on: flags are not in the file. Null: it does not tell us. */
async function hostOf(server: NonNullable<CheckContext["server"]>): Promise<string | null> {
  const settings = await withClient(server, (client) => client.call("GET", "/admin/config", configAnswer)).catch(
    () => [],
  );
  const host = settings.find((setting) => setting.path === "host")?.value;
  return typeof host === "string" ? host : null;
}

export function judgeOff(host: string): Finding {
  return isLoopback(host)
    ? ok("off; only this computer is listened to")
    : note("off: keys and prompts can be read on the network", "lanthorn serve --tls, or tls.mode in lanthorn.yaml");
}

/** Throws the sentence that the start would say. */
async function lookAtFiles({ paths }: CheckContext, settings: Config): Promise<Finding> {
  const log = createLog({ level: "silent" });
  const tls = await openTls({ settings: settings.tls, paths, hosts: [], clock: systemClock, log });
  return judgeCertificate(tls?.material() ?? null, Date.now());
}

function lookAtOwn({ paths }: CheckContext): Finding {
  const [cert, key] = [readOwnerFile(paths.tlsCertificate), readOwnerFile(paths.tlsKey)];
  return judgeCertificate(cert === null || key === null ? null : readMaterial(cert, key), Date.now());
}

export function judgeCertificate(
  certificate: { readonly fingerprint: string; readonly notAfterMs: number } | null,
  nowMs: number,
): Finding {
  if (certificate === null) return note("a certificate is made at the next start");
  const { fingerprint, notAfterMs } = certificate;
  const text = `certificate SHA-256 ${fingerprint}, until ${dateText(notAfterMs)}`;
  return notAfterMs > nowMs ? ok(text) : note(`${text}: expired`, "put a new one in its place");
}

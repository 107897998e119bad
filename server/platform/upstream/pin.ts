/**
 * Connects to one server that is known by the fingerprint of its certificate, whoever signed it and whatever name it is
 * for. Nothing is sent before the fingerprint was compared. Runs in the CLI, and where a box calls another.
 */
import { TLSSocket } from "node:tls";
import { buildConnector } from "undici";

/** What a server showed instead of the certificate that was expected. */
export class WrongFingerprint extends Error {
  readonly shown: string;

  constructor(shown: string) {
    super(`the certificate has another fingerprint: ${shown}`);
    this.name = "WrongFingerprint";
    this.shown = shown;
  }
}

/** The handshake proves that the server holds the certificate's key; the comparison, that it is the certificate we know. */
export function pinnedConnector(fingerprint: string, timeoutMs: number): buildConnector.connector {
  // No session is taken up again: each connection shows its certificate.
  const connect = buildConnector({ rejectUnauthorized: false, timeout: timeoutMs, maxCachedSessions: 0 });
  return (options, callback) => {
    connect(options, (error, socket) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      const shown = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : "none";
      if (shown === fingerprint) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(new WrongFingerprint(shown), null);
    });
  };
}

/** Is the process alive, can it serve, which build is it. Runs in the server; costs nothing, loads nothing. */
import type { HttpDeps } from "./deps.ts";
import type { InFlight } from "./in-flight.ts";
import type { Exchange } from "./route.ts";
import { sendJson } from "./send.ts";

export function healthRoutes(
  deps: Pick<HttpDeps, "readiness" | "version" | "engineBuild" | "boxId" | "fingerprint">,
  inFlight: Pick<InFlight, "draining">,
) {
  return {
    alive({ response }: Exchange): void {
      sendJson(response, 200, {
        status: "ok",
        server: "lanthorn",
        ...(deps.boxId === undefined ? {} : { box: deps.boxId }),
      });
    },
    ready({ response }: Exchange): void {
      const { ready, reason } = inFlight.draining ? { ready: false, reason: "stopping" } : deps.readiness();
      if (!ready) response.setHeader("retry-after", "5");
      sendJson(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready", reason });
    },
    version({ response }: Exchange): void {
      sendJson(response, 200, {
        name: "lanthorn",
        version: deps.version,
        engine: deps.engineBuild,
        fingerprint: deps.fingerprint?.() ?? null,
      });
    },
  };
}

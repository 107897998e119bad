/**
 * Ends an answer in one piece that takes longer than the way to its reader allows: some proxies cut a connection on which nothing
 * came for 100 s, and whoever asked would learn nothing. Runs in the server.
 */
import { Failure } from "../domain/failure.ts";
import { wholeLimit } from "../domain/rental/public-place.ts";
import type { InferenceParts } from "./admission.ts";
import type { Flight } from "./in-flight.ts";
import type { Exchange } from "./route.ts";

/** What the client can do instead. */
const advice = Object.freeze({
  chat: "Ask with `stream: true`: a stream has no such limit. A shorter answer (`max_tokens`) helps too.",
  texts: "Send fewer or shorter texts in one request.",
});

/** Returns how to lift it again, when the answer is there. */
export function limitWhole(
  { request, startedAtMs }: Pick<Exchange, "request" | "startedAtMs">,
  flight: Pick<Flight, "cut">,
  { deps: { clock, settings } }: { readonly deps: Pick<InferenceParts["deps"], "clock" | "settings"> },
  kind: keyof typeof advice,
): () => void {
  const limitMs = wholeLimit(settings.wholeLimitMs ?? 0, request.headers.host);
  if (limitMs === null) return () => {};
  const spentMs = Math.max(0, clock.now() - startedAtMs);
  return clock.after(Math.max(0, limitMs - spentMs), () => flight.cut(tooLong(limitMs, kind)));
}

/** Asking the same again would compute the same again, for nothing. */
function tooLong(limitMs: number, kind: keyof typeof advice): Failure {
  const seconds = Math.round(limitMs / 100) / 10;
  const words = `An answer in one piece may take ${seconds} s on this way, and this one was not ready.`;
  return new Failure("stream_needed", `${words} ${advice[kind]}`, kind === "chat" ? { param: "stream" } : {});
}

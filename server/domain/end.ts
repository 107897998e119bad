/** What the end of an answer says to whoever waited for it. Pure. */
import type { EndEvent } from "./chat.ts";
import { Failure } from "./failure.ts";

/** What the client is told of an end that is no finish; null for a finished answer. `signal`: the one it was asked with. */
export function failureOf(end: EndEvent, signal: { readonly reason: unknown }): Failure | null {
  if (end.type === "finished") return null;
  if (end.type === "failed") return end.failure;
  // Aborted: because the box stops, or because the client left and nobody reads this.
  return signal.reason instanceof Failure ? signal.reason : new Failure("internal", "The request was stopped.");
}

/** Events that stopped without one: somebody's mistake here. */
export function noEnd(): Failure {
  return new Failure("internal", "The answer ended without an end.");
}

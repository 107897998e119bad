/** What clients are told about a rented machine that does not answer. Pure. */
import { Failure } from "../../domain/failure.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { type PowerView, roughly } from "../../domain/rental/power.ts";

/** Where nobody knows better. */
const usualRetryS = 30;

export function asleepFailure(name: string, { words, expectedMs }: Pick<PowerView, "words" | "expectedMs">): Failure {
  const message = `"${name}" runs on a rented machine, which is ${words}. Please ask again then.`;
  return new Failure("rental_asleep", message, {
    retryAfterSeconds: expectedMs === null ? usualRetryS : expectedMs / 1000,
  });
}

/** Where money is the reason, asking again does not help. */
export function refusedFailure(
  name: string,
  { words, refusal, retryMs }: Pick<PowerView, "words" | "refusal" | "retryMs">,
): Failure {
  const message = `"${name}" runs on a rented machine, and none is on: ${words}.`;
  if (refusal !== "cap") {
    const retryAfterSeconds = retryMs === null ? 60 : retryMs / 1000;
    return new Failure("rental_failed", message, { retryAfterSeconds, next: ["lanthorn rental list"] });
  }
  return new Failure("budget_exceeded", message, {
    why: "What rented machines may cost is capped by rentalLimits and mostUsdPerLease of lanthorn.yaml.",
    next: ["lanthorn rental list", "lanthorn config show rentalLimits"],
  });
}

/** From a lease that did not come up, or what was thrown when it was asked for. */
export function wakeFailure(name: string, cause: LeaseView | Failure): Failure {
  if (cause instanceof Failure) {
    if (cause.code === "budget_exceeded" || cause.code === "rental_failed") return cause;
    return new Failure("rental_failed", `The rented machine of "${name}" could not be had: ${cause.message}`, {
      cause,
      retryAfterSeconds: usualRetryS,
      next: ["lanthorn rental list"],
    });
  }
  const why = cause.reason === "" ? `it is ${cause.state}` : cause.reason;
  return new Failure("rental_failed", `The rented machine of "${name}" did not come up: ${why}.`, {
    retryAfterSeconds: usualRetryS,
    next: [`lanthorn rental show lease-${cause.id}`, "lanthorn rental list"],
  });
}

export function notReadyInTime(name: string, waitedMs: number): Failure {
  return new Failure(
    "rental_failed",
    `The rented machine of "${name}" was not ready within ${roughly(waitedMs)}. Please ask again later.`,
    { retryAfterSeconds: 60, next: ["lanthorn rental list"] },
  );
}

export function lostFailure(name: string, lease: number, why: string, cause?: unknown): Failure {
  const message = `The rented machine of "${name}" (lease-${lease}) did not answer to the end: ${why.replace(/\.$/, "")}. Please ask again.`;
  return new Failure("rental_lost", message, { cause, retryAfterSeconds: 1 });
}

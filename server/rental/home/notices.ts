/**
 * Notices of rented machines that they go, checked at home. What follows from one is decided by whoever keeps the leases; it says
 * no more than "look now", and only the machine itself could have signed it. Runs in the server of the box that rents.
 */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import { noticeText } from "../../domain/rental/messages.ts";
import { sharedSecret } from "../shared-secret.ts";

export interface NoticePorts {
  readonly clock: Pick<Clock, "now">;
  /** The first key that this instance was given; null: it is not ours. */
  firstKeyOf(instance: string): string | null;
  /** The instance says that it goes. */
  notice(instance: string, reason: string): void;
}

const bodyShape = z.strictObject({
  instance: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[A-Za-z0-9_-]+$/),
  reason: z.string().max(300),
  atMs: z.int(),
  signature: z.string().max(100),
});

/** Markets' clocks differ; an old notice is a recorded one. */
const oldestMs = 10 * 60_000;

/** Takes the body of `POST /rental/notice`. Throws `invalid_request` and `unknown_key`. */
export function createNotices({ clock, firstKeyOf, notice }: NoticePorts): (body: unknown) => { readonly taken: true } {
  return (body) => {
    const parsed = bodyShape.safeParse(body);
    if (!parsed.success) throw fieldFailure(parsed.error);
    const { instance, reason, atMs, signature } = parsed.data;
    const firstKey = firstKeyOf(instance);
    const isSigned = firstKey !== null && sharedSecret(firstKey).isSigned(noticeText(parsed.data), signature);
    // One answer for both, so that nobody learns which machines there are.
    if (!isSigned) throw new Failure("unknown_key", "This notice is not signed by a machine of this box.");
    if (Math.abs(clock.now() - atMs) > oldestMs) throw new Failure("unknown_key", "This notice is too old.");
    notice(instance, reason);
    return { taken: true };
  };
}

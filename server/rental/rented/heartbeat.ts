/**
 * Home's heartbeats, checked: home asks for a challenge, signs it with its Ed25519 key and sends it back. A recorded one is good for
 * nothing, whatever the clocks say. Runs in the server of a rented machine.
 */
import { createPublicKey, verify } from "node:crypto";
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import { heartbeatText } from "../../domain/rental/messages.ts";
import { createChallenges } from "./challenges.ts";

export interface HeartbeatOptions {
  /** 32 bytes in base64, as the settings have it. */
  readonly publicKey: string;
  /** The market's number of this machine; empty: it does not know. */
  readonly instance: string;
  readonly clock: Clock;
  /** Home was heard. */
  heard(): void;
}

export interface Heartbeats {
  /** What home signs. */
  ask(): { readonly instance: string; readonly challenge: string; readonly nowMs: number };
  /** Throws `invalid_request`, and `unknown_key` where it is not home that signed. `skewMs`: home's clock minus ours. */
  take(body: unknown): { readonly heard: true; readonly skewMs: number };
}

const bodyShape = z.strictObject({
  challenge: z.string().max(200),
  atMs: z.int(),
  signature: z.string().max(200),
});

/** Throws Failure `cannot_start` for a key that is none. */
export function createHeartbeats({ publicKey, instance, clock, heard }: HeartbeatOptions): Heartbeats {
  const key = openPublicKey(publicKey);
  const challenges = createChallenges(clock);
  return {
    ask: () => ({ instance, challenge: challenges.issue(), nowMs: clock.now() }),
    take: (body) => {
      const parsed = bodyShape.safeParse(body);
      if (!parsed.success) throw fieldFailure(parsed.error);
      const { challenge, atMs, signature } = parsed.data;
      const text = Buffer.from(heartbeatText({ instance, challenge, atMs }));
      // Whoever cannot sign uses up no challenge.
      if (!verify(null, text, key, Buffer.from(signature, "base64"))) {
        throw new Failure("unknown_key", "This heartbeat is not signed by the home of this machine.");
      }
      if (!challenges.take(challenge)) {
        throw new Failure("unknown_key", "This challenge is too old, was used before, or is not of this server.");
      }
      heard();
      return { heard: true, skewMs: atMs - clock.now() };
    },
  };
}

function openPublicKey(text: string) {
  try {
    const x = Buffer.from(text, "base64").toString("base64url");
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch (cause) {
    throw new Failure("cannot_start", "The public key of home cannot be used.", {
      cause,
      why: "home.publicKey must be an Ed25519 public key: 32 bytes in base64.",
      next: ["unset LANTHORN_HOME_PUBLIC_KEY"],
      param: "home.publicKey",
    });
  }
}

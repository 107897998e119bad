/**
 * Challenges that a heartbeat answers. They are made without remembering them, so that nobody can push out home's by asking for
 * many; each is good once and for a minute. Runs in the server of a rented machine.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../domain/ports.ts";

export interface Challenges {
  issue(): string;
  /** True once for a challenge of ours that is young enough. */
  take(challenge: string): boolean;
}

const lifeMs = 60_000;

export function createChallenges(clock: Pick<Clock, "monotonicMs">): Challenges {
  const secret = randomBytes(32);
  /** Taken ones, until they are too old anyhow. */
  const taken = new Map<string, number>();
  const seal = (body: string) => createHmac("sha256", secret).update(body).digest("base64url");

  return {
    issue: () => {
      const body = `${Math.round(clock.monotonicMs())}.${randomBytes(12).toString("base64url")}`;
      return `${body}.${seal(body)}`;
    },
    take: (challenge) => {
      const [, issued = "", nonce = "", given = ""] = /^(\d{1,15})\.([\w-]{16})\.([\w-]{43})$/.exec(challenge) ?? [];
      const right = Buffer.from(seal(`${issued}.${nonce}`));
      const sent = Buffer.from(given);
      if (right.length !== sent.length || !timingSafeEqual(right, sent)) return false;
      const nowMs = clock.monotonicMs();
      if (nowMs - Number(issued) > lifeMs || taken.has(challenge)) return false;
      for (const [old, atMs] of taken) if (nowMs - atMs > 2 * lifeMs) taken.delete(old);
      taken.set(challenge, nowMs);
      return true;
    },
  };
}

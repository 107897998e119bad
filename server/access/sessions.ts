/**
 * Browsers that signed in with a key. Held in memory only: a restart signs everybody out. Runs in the server; the cookie
 * itself is made in http/.
 */
import type { Caller } from "../domain/caller.ts";
import type { Clock } from "../domain/ports.ts";
import { hashKey } from "../ledger/keys.ts";
import { newSessionToken } from "../platform/ids.ts";

/** A working day, however long. */
const lifetimeMs = 12 * 3_600_000;
/** Past it the oldest sign-in ends. */
const mostSessions = 1000;

export interface Sessions {
  /** The value for an HttpOnly cookie; 43 base62 characters, good for 12 hours. */
  create(caller: Caller): string;
  /** Null: unknown, ended or too old. */
  find(token: string): Caller | null;
  end(token: string): void;
}

interface Session {
  readonly caller: Caller;
  readonly startedMs: number;
}

/** Tokens are kept as hashes, so that comparing them tells nothing and memory holds none. */
function nameOf(token: string): string {
  return Buffer.from(hashKey(token)).toString("hex");
}

export function createSessions(clock: Clock): Sessions {
  /** Oldest first. */
  const sessions = new Map<string, Session>();

  function dropOld(): void {
    for (const [name, session] of sessions) {
      const isOld = clock.monotonicMs() - session.startedMs >= lifetimeMs;
      if (!isOld && sessions.size < mostSessions) return;
      sessions.delete(name);
    }
  }

  return {
    create(caller) {
      dropOld();
      const token = newSessionToken();
      sessions.set(nameOf(token), { caller, startedMs: clock.monotonicMs() });
      return token;
    },
    find(token) {
      const session = sessions.get(nameOf(token));
      if (session === undefined || clock.monotonicMs() - session.startedMs >= lifetimeMs) return null;
      return session.caller;
    },
    end(token) {
      sessions.delete(nameOf(token));
    },
  };
}

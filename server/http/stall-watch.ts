/**
 * Cuts clients that do not take what was written to them: a reader of one byte a second must not hold an answer, a file or
 * a connection for ever. Runs in the server; one timer for all answers, none while there are none.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../domain/ports.ts";

interface Watched {
  /** What waited to be taken when it last changed. */
  unread: string;
  sinceMs: number;
}

export interface StallWatch {
  /** Watches `response` until it is over. */
  watch(response: ServerResponse): void;
}

export function createStallWatch(clock: Clock, stallMs: number): StallWatch {
  const watched = new Map<ServerResponse, Watched>();
  const lookEveryMs = stallMs / 4;
  let looking = false;

  const look = () => {
    const nowMs = clock.monotonicMs();
    for (const [response, state] of watched) {
      // Both stay the same only when nothing was taken and nothing new was handed to the system.
      const unread = response.writableLength === 0 ? "" : `${response.writableLength}/${response.socket?.bytesWritten}`;
      if (unread === "" || unread !== state.unread) {
        state.unread = unread;
        state.sinceMs = nowMs;
      } else if (nowMs - state.sinceMs >= stallMs) {
        response.destroy();
      }
    }
    looking = watched.size > 0;
    if (looking) clock.after(lookEveryMs, look);
  };

  return {
    watch(response) {
      watched.set(response, { unread: "", sinceMs: clock.monotonicMs() });
      response.once("close", () => watched.delete(response));
      if (looking) return;
      looking = true;
      clock.after(lookEveryMs, look);
    },
  };
}

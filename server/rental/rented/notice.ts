/**
 * Tells home that this machine goes, once and within seconds: home then looks at once instead of at its next poll. What goes wrong
 * with it is logged and ends nothing. Runs in the server of a rented machine.
 */
import type { Clock, Log } from "../../domain/ports.ts";
import { noticeText } from "../../domain/rental/messages.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { SharedSecret } from "../shared-secret.ts";

export interface NoticeOptions {
  /** `home.url`, without a slash at its end. */
  readonly homeUrl: string;
  readonly instance: string;
  readonly secret: SharedSecret;
  readonly upstream: UpstreamFetch;
  readonly clock: Clock;
  readonly log: Log;
}

/** A market leaves five seconds, and answers are ended meanwhile. */
const limitMs = 2_500;

/** Resolves when it was told, or will not be. Never rejects. */
export async function tellHome(reason: string, options: NoticeOptions): Promise<void> {
  const { homeUrl, instance, secret, upstream, clock, log } = options;
  const notice = { instance, reason, atMs: clock.now() };
  const stop = new AbortController();
  const cancel = clock.after(limitMs, () => stop.abort(new Error(`no answer within ${limitMs} ms`)));
  try {
    const answer = await upstream.fetch(`${homeUrl}/rental/notice`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...notice, signature: secret.sign(noticeText(notice)) }),
      signal: stop.signal,
    });
    await answer.body?.cancel();
    if (answer.ok) log.info({ reason }, "home was told that this machine goes");
    else log.warn({ status: answer.status }, "home did not take the notice that this machine goes");
  } catch (thrown) {
    const words = thrown instanceof Error ? thrown.message : String(thrown);
    log.warn({ error: words }, "home could not be told that this machine goes");
  } finally {
    cancel();
  }
}

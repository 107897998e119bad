/**
 * Home's heartbeats to its rented machines: each is asked for a challenge, which is signed and sent back. Runs in the server of the box
 * that rents. A machine that does not answer is not this file's business: its lease is looked after by others.
 */
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import { heartbeatText } from "../../domain/rental/messages.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { HomeKey } from "./home-key.ts";

export interface HeartTarget {
  /** `https://host:port`, without a slash at its end. */
  readonly url: string;
  /** As the market calls it: what it signs for one machine is good for no other. */
  readonly instanceId: string;
  /** The machine's own way there, where its certificate is known by its fingerprint. */
  readonly upstream: UpstreamFetch;
}

export interface HeartPorts {
  readonly homeKey: HomeKey;
  readonly clock: Clock;
  readonly log: Log;
  /** Machines that may run now. */
  targets(): readonly HeartTarget[];
  /** Three of them may be lost before a machine with the usual silence of 45 min wonders. */
  readonly everyMs: number;
}

const limitMs = 10_000;
const asked = z.object({ instance: z.string(), challenge: z.string().max(200) });
const taken = z.object({ heard: z.literal(true), skewMs: z.int() });

/** One heartbeat. `skewMs`: our clock minus the machine's. Throws Failure `upstream_…`, and what the connection throws. */
export async function beat(
  { url, instanceId, upstream }: HeartTarget,
  { homeKey, clock }: Pick<HeartPorts, "homeKey" | "clock">,
  signal: AbortSignal,
): Promise<{ readonly skewMs: number }> {
  const { instance, challenge } = await answerOf(asked, await upstream.fetch(`${url}/rental/heartbeat`, { signal }));
  // A machine may not know its own number; one that claims another is another.
  if (instance !== "" && instance !== instanceId) {
    throw new Failure("upstream_failed", `At ${url} answers the machine ${instance.slice(0, 60)}, not ${instanceId}.`);
  }
  const atMs = clock.now();
  const signature = homeKey.sign(heartbeatText({ instance, challenge, atMs }));
  const answer = await upstream.fetch(`${url}/rental/heartbeat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ challenge, atMs, signature }),
    signal,
  });
  const { skewMs } = await answerOf(taken, answer);
  return { skewMs };
}

type Answer = Awaited<ReturnType<UpstreamFetch["fetch"]>>;

async function answerOf<T>(shape: z.ZodType<T>, answer: Answer): Promise<T> {
  const text = (await answer.text()).slice(0, 4_000);
  if (!answer.ok) throw new Failure("upstream_failed", `The rented machine answered with status ${answer.status}.`);
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure("upstream_failed", "The rented machine answered something else.", { cause });
  }
}

/** Beats at once and then every `everyMs`; the returned function ends it. */
export function startHeart(ports: HeartPorts): () => void {
  const { clock, log, targets, everyMs } = ports;
  const stop = new AbortController();
  let cancel = () => {};

  const beatAll = () => {
    for (const target of targets()) void beatOne(target);
    cancel = clock.after(everyMs, beatAll);
  };
  const beatOne = async (target: HeartTarget) => {
    const call = new AbortController();
    const leave = () => call.abort();
    stop.signal.addEventListener("abort", leave, { once: true });
    const cancelLimit = clock.after(limitMs, leave);
    try {
      await beat(target, ports, call.signal);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      if (!stop.signal.aborted) log.warn({ instance: target.instanceId, error }, "a rented machine did not hear home");
    } finally {
      cancelLimit();
      stop.signal.removeEventListener("abort", leave);
    }
  };
  beatAll();
  return () => {
    cancel();
    stop.abort();
  };
}

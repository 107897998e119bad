/**
 * Tells the LAN of this box while it runs, on each of its networks, and takes it back at the end. Runs in the server.
 * Nothing that goes wrong here stops or delays anything else: it is one line in the log.
 */
import type { Clock, Log } from "../../domain/ports.ts";
import { type Announcement, hostLabel, instanceName, serviceType, txtOf } from "./announcement.ts";
import { type Multicast, openMulticast } from "./multicast.ts";

export interface AnnouncerOptions {
  /** Asked again at each look: a renewed certificate has another fingerprint. */
  readonly announcement: () => Announcement;
  readonly port: number;
  /** IPv4 addresses of the interfaces to speak on, now. */
  readonly addresses: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** 5353 when absent. */
  readonly multicastPort?: number;
}

export interface Announcer {
  /** Resolves with the number of networks on which it was announced first. */
  readonly announced: Promise<number>;
  /** Says goodbye, so that nobody keeps an address that leads nowhere. */
  stop(): Promise<void>;
}

/** A machine changes its addresses when it changes networks. */
const lookAgainMs = 30_000;
/** What saying goodbye may take. */
const goodbyeLimitMs = 1_000;

type Service = ReturnType<Multicast["library"]["publish"]>;

export function startAnnouncer(options: AnnouncerOptions): Announcer {
  const { clock, log } = options;
  let speaking: readonly { readonly multicast: Multicast; readonly service: Service }[] = [];
  /** What is being said, to notice a change. */
  let said = "";
  let isWarned = false;
  let cancelLook = () => {};
  let isStopped = false;

  const warn = (error: unknown) => {
    if (!isWarned)
      log.warn({ error }, "this box cannot be announced on the LAN; it is reached by its address as before");
    isWarned = true;
  };

  async function speak(announcement: Announcement, addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) warn(new Error("there is no network with an IPv4 address"));
    const { port, multicastPort } = options;
    const place = multicastPort === undefined ? {} : { port: multicastPort };
    const opened = await Promise.allSettled(addresses.map((address) => openMulticast({ address, ...place }, warn)));
    speaking = opened.flatMap((outcome) => {
      if (outcome.status === "rejected") {
        warn(outcome.reason);
        return [];
      }
      const multicast = outcome.value;
      const service = multicast.library.publish({
        name: instanceName(announcement),
        type: serviceType,
        port,
        host: `${hostLabel(announcement.name)}.local`,
        txt: txtOf(announcement),
        // The name is unique by its making; the library's own question would end in a line on stdout.
        probe: false,
      });
      return [{ multicast, service }];
    });
  }

  async function silence(): Promise<void> {
    const ending = speaking;
    speaking = [];
    await Promise.all(
      ending.map(async ({ multicast, service }) => {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(goodbyeLimitMs, resolve);
          service.stop(() => {
            cancel();
            resolve();
          });
        });
        await multicast.close();
      }),
    );
  }

  /** One look after the other, never two at a time. */
  async function look(): Promise<void> {
    const announcement = options.announcement();
    const addresses = options.addresses();
    const next = JSON.stringify([announcement, [...addresses].sort()]);
    if (next !== said) {
      said = next;
      await silence();
      if (!isStopped) await speak(announcement, addresses);
    }
    if (!isStopped) {
      cancelLook = clock.after(lookAgainMs, () => {
        looking = look().catch(warn);
      });
    }
  }

  let looking = look().catch(warn);
  let stopped: Promise<void> | null = null;
  return {
    announced: looking.then(() => speaking.length),
    stop() {
      isStopped = true;
      cancelLook();
      stopped ??= looking.then(silence).catch(warn);
      return stopped;
    },
  };
}

/**
 * Listens for boxes on the LAN for a while. Runs in the command's process. What is heard is anybody's word: it is checked,
 * bounded, and believed only as an address to try.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Announcement, readTxt, serviceType } from "./announcement.ts";
import { type Multicast, openMulticast } from "./multicast.ts";

export interface FoundBox extends Announcement {
  /** `https://192.168.1.20:4747`: where the announcement came from, which is an address that works from here. */
  readonly url: string;
  readonly address: string;
  readonly port: number;
}

export interface FindOptions {
  /** IPv4 addresses of the interfaces to listen on. */
  readonly addresses: readonly string[];
  readonly forMs: number;
  readonly signal?: AbortSignal;
  /** 5353 when absent. */
  readonly multicastPort?: number;
}

export interface Findings {
  readonly boxes: readonly FoundBox[];
  /** Interfaces on which nothing could be heard, with what the system said. */
  readonly deaf: readonly { readonly address: string; readonly reason: string }[];
}

/** A LAN has a handful; more is somebody shouting. */
const mostBoxes = 256;
/** The question is asked this often: a packet may be lost, and nobody knows. */
const questions = 3;

interface Heard {
  readonly txt?: unknown;
  readonly port: number;
  readonly referer?: { readonly address: string };
}

export async function findBoxes(options: FindOptions): Promise<Findings> {
  const place = options.multicastPort === undefined ? {} : { port: options.multicastPort };
  const ears: Multicast[] = [];
  const deaf: { address: string; reason: string }[] = [];
  for (const address of options.addresses) {
    try {
      ears.push(await openMulticast({ address, ...place }, () => {}));
    } catch (error) {
      deaf.push({ address, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  try {
    const browsers = ears.map(({ library }) => library.find({ type: serviceType }));
    for (let asked = 1; asked <= questions && ears.length > 0; asked += 1) {
      await pause(options.forMs / questions, undefined, options.signal ? { signal: options.signal } : {});
      if (asked < questions) for (const browser of browsers) browser.update();
    }
    return { boxes: boxesOf(browsers.flatMap((browser) => browser.services)), deaf };
  } finally {
    await Promise.all(ears.map((ear) => ear.close()));
  }
}

/** One entry per box, in the order of their names; a box heard on two networks keeps the address heard first. */
export function boxesOf(services: readonly Heard[]): readonly FoundBox[] {
  const boxes = new Map<string, FoundBox>();
  for (const { txt, port, referer } of services) {
    const announcement = typeof txt === "object" && txt !== null ? readTxt({ ...txt }) : null;
    const isPort = Number.isInteger(port) && port > 0 && port <= 65_535;
    if (announcement === null || !isPort || referer === undefined || boxes.size >= mostBoxes) continue;
    const { box, fingerprint } = announcement;
    const place = `${box}:${port}`;
    if (boxes.has(place)) continue;
    const scheme = fingerprint === null ? "http" : "https";
    const { address } = referer;
    boxes.set(place, { ...announcement, url: `${scheme}://${address}:${port}`, address, port });
  }
  return [...boxes.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

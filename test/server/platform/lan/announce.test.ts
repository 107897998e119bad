/** A box tells of itself and is found: real multicast, on loopback and on a port of our own. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { type AnnouncerOptions, startAnnouncer } from "../../../../server/platform/lan/announce.ts";
import type { Announcement } from "../../../../server/platform/lan/announcement.ts";
import { findBoxes } from "../../../../server/platform/lan/find.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

const fingerprint = ("0123456789ABCDEF".repeat(4).match(/../g) ?? []).join(":");
const atlas: Announcement = { name: "atlas", box: "aaaaaaaaaaaa", version: "0.1.0", fingerprint, keyNeeded: true };

/** A port that nobody speaks multicast DNS on. */
async function quietPort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

function announce(multicastPort: number, change: Partial<AnnouncerOptions> = {}) {
  const log = recordedLog();
  const announcer = startAnnouncer({
    announcement: () => atlas,
    port: 4747,
    addresses: () => ["127.0.0.1"],
    clock: systemClock,
    log,
    multicastPort,
    ...change,
  });
  onTestFinished(() => announcer.stop());
  return { announcer, log };
}

const find = (multicastPort: number) => findBoxes({ addresses: ["127.0.0.1"], forMs: 600, multicastPort });

test("an announced box is found with its address, certificate and version, and is gone when it stops", async () => {
  const port = await quietPort();
  const { announcer, log } = announce(port);
  const other = announce(port, {
    announcement: () => ({ ...atlas, box: "bbbbbbbbbbbb", fingerprint: null }),
    port: 80,
  });
  expect(await Promise.all([announcer.announced, other.announcer.announced])).toEqual([1, 1]);
  const { boxes, deaf } = await find(port);
  expect(deaf).toEqual([]);
  expect(boxes).toHaveLength(2);
  expect(boxes).toContainEqual({ ...atlas, url: "https://127.0.0.1:4747", address: "127.0.0.1", port: 4747 });
  expect(boxes).toContainEqual(expect.objectContaining({ url: "http://127.0.0.1:80", fingerprint: null }));
  await other.announcer.stop();

  // Whoever listens while it stops hears the goodbye.
  const listening = findBoxes({ addresses: ["127.0.0.1"], forMs: 2_000, multicastPort: port });
  setTimeout(() => void announcer.stop(), 200);
  expect((await listening).boxes).toEqual([]);
  expect((await find(port)).boxes).toEqual([]);
  expect(log.lines).toEqual([]);
});

test("where multicast is not possible there is one warning, and nothing else happens", async () => {
  const port = await quietPort();
  // An address of documentation (RFC 5737): no interface of this machine has it.
  const { announcer, log } = announce(port, { addresses: () => ["203.0.113.7", "203.0.113.8"] });
  expect(await announcer.announced).toBe(0);
  await announcer.stop();
  expect(log.lines).toEqual([expect.stringContaining("warn: this box cannot be announced")]);
  const nowhere = await findBoxes({ addresses: ["203.0.113.7"], forMs: 1, multicastPort: port });
  expect(nowhere).toEqual({ boxes: [], deaf: [{ address: "203.0.113.7", reason: expect.any(String) }] });
});

test("stopped while it begins, it never speaks", async () => {
  const port = await quietPort();
  const { announcer } = announce(port);
  await announcer.stop();
  expect((await find(port)).boxes).toEqual([]);
});

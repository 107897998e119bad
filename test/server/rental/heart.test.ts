/** Home's heart: every machine is asked and answered at once and then again and again, and one that does not answer holds up none. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createUpstreamFetch } from "../../../server/platform/upstream/upstream-fetch.ts";
import { startHeart } from "../../../server/rental/home/heart.ts";
import { openHomeKey } from "../../../server/rental/home/home-key.ts";
import { createHeartbeats } from "../../../server/rental/rented/heartbeat.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("machines hear home at every beat, until it ends", async () => {
  const homeKey = openHomeKey(join(temporaryFolder(), "home.key"));
  const clock = manualClock();
  const silent: unknown[] = [];
  const log = { ...recordedLog(), warn: (fields: object) => void silent.push(Reflect.get(fields, "instance")) };
  let tell: (beats: number) => void = () => {};
  let beats = 0;
  const machine = createHeartbeats({
    ...{ publicKey: homeKey.publicKey, instance: "7", clock },
    heard: () => {
      beats += 1;
      tell(beats);
    },
  });
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const answer = request.method === "GET" ? machine.ask() : machine.take(JSON.parse(body));
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  onTestFinished(async () => {
    await upstream.close();
    server.close();
  });
  const heard = () =>
    new Promise<number>((resolve) => {
      tell = resolve;
    });

  const first = heard();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const targets = [
    { url: "http://127.0.0.1:1", instanceId: "6", upstream },
    { url, instanceId: "7", upstream },
  ];
  const stop = startHeart({ homeKey, clock, log, targets: () => targets, everyMs: 60_000 });
  expect(await first).toBe(1);
  const second = heard();
  clock.advance(60_000);
  expect(await second).toBe(2);
  stop();
  clock.advance(600_000);
  await upstream.close();
  expect(beats).toBe(2);
  // An answer of the other that was still on its way when the clock was moved may have been given up.
  expect(silent.filter((instance) => instance === "6")).toHaveLength(2);
});

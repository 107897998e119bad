/** How home reaches a machine that serves TLS with a certificate of its own, whichever key its requests carry. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../../../server/platform/upstream/upstream-fetch.ts";
import { createMachineWays } from "../../../../server/rental/home/machine-ways.ts";
import { leasesInMemory } from "../../../support/leases-in-memory.ts";
import { type RealBox, realBox } from "../../../support/real-box.ts";
import { silentLog, temporaryFolder } from "../../../support/real-engine.ts";

const { signal } = new AbortController();
const folder = await temporaryFolder();
const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
const label = "lanthorn-0123456789ab-1";
const open = (
  keys: readonly (readonly [string, string | null])[],
  environment: Readonly<Record<string, string>> = {},
) =>
  createMachineWays({
    ...{ secretFile: join(folder.path, "rental.key"), markets: { vast: { tls: "pinned" } }, upstream },
    ...{ rentals: { den: { environment } }, keys: new Map(keys), clock: systemClock, log: silentLog },
    knowSecret: () => {},
  });
let machine: RealBox;

beforeAll(async () => {
  const market = { CONTAINER_ID: "7", CONTAINER_API_KEY: "of this machine alone", VAST_CONTAINERLABEL: "C.7" };
  const LANTHORN_FIRST_KEY = open([]).firstKeyOf({ rental: "den", label });
  machine = await realBox(
    { LANTHORN_HEADLESS: "true", LANTHORN_TLS_MODE: "self-signed" },
    { environment: { ...market, LANTHORN_FIRST_KEY } },
  );
});
afterAll(async () => {
  await machine.stop();
  await upstream.close();
  await folder.remove();
});

/** As its market lists it: a plain address. */
const lease = () =>
  leasesInMemory(Date.now, "den").add({
    market: "vast",
    label,
    address: machine.started.url.replace("https:", "http:"),
  });

test("it is not reached before it has proven its certificate, and then with its first key", async () => {
  const ways = open([]);
  expect(ways.reach(lease())).toBeNull();
  const way = await ways.learn(lease(), signal);
  expect(way).toMatchObject({ url: machine.started.url, key: ways.firstKeyOf({ rental: "den", label }) });
  const headers = { authorization: `Bearer ${way?.key}` };
  expect((await way?.upstream.fetch(`${way.url}/v1/models`, { headers }))?.status).toBe(200);
  expect(ways.reach(lease())).toEqual(way);
  ways.close();
});

test("a lease that has ended has no way any more, and another one's is as it was", async () => {
  const ways = open([]);
  const other = { ...lease(), id: 2 };
  const [way, theirs] = [await ways.learn(lease(), signal), await ways.learn(other, signal)];
  ways.forget(1);
  expect(ways.reach(lease())).toBeNull();
  expect(ways.reach(other)).toEqual(theirs);
  expect(await ways.learn(lease(), signal)).not.toEqual(way);
  expect((await theirs?.upstream.fetch(`${theirs.url}/health`))?.status).toBe(200);
  ways.forget(1);
  ways.close();
});

test("what is learnt of a lease that ended meanwhile is not kept", async () => {
  const ways = open([]);
  const ended = new AbortController();
  const learning = ways.learn(lease(), ended.signal);
  ended.abort(new Error("it has ended"));
  await expect(learning).rejects.toThrow();
  expect(ways.reach(lease())).toBeNull();
  ways.close();
});

test("a key of its own from a file is what requests carry; the certificate is proven by the first key all the same", async () => {
  const ways = open([["den", "a key that an admin made on the machine"]]);
  expect(await ways.learn(lease(), signal)).toMatchObject({ key: "a key that an admin made on the machine" });
  ways.close();
});

test("a first key that the settings hand to it is the one that proves", async () => {
  const stated = open([], { LANTHORN_FIRST_KEY: "0123456789abcdef0123456789abcdef" });
  expect(stated.firstKeyOf({ rental: "den", label })).toBe("0123456789abcdef0123456789abcdef");
  await expect(stated.learn(lease(), signal)).rejects.toThrow("not proven");
  stated.close();
});

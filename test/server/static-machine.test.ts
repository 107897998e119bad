/** A machine of the settings as a target: another real box, which nobody rented, answers what is sent to its alias. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LeaseView } from "../../server/domain/rental/lease.ts";
import { adminOf } from "../support/box-client.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { temporaryFolder, until } from "../support/real-engine.ts";
import { postChat } from "../support/sse.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let machine: RealBox;
let home: RealBox;

const leases = async (): Promise<LeaseView[]> =>
  ((await (await adminOf(home).call("GET", "/admin/rentals")).json()) as { leases: LeaseView[] }).leases;

beforeAll(async () => {
  folder = await temporaryFolder();
  machine = await realBox({ LANTHORN_AUTH: "always" });
  const made = await adminOf(machine).call("POST", "/admin/keys", { name: "home" });
  const keyFile = join(folder.path, "desk.key");
  writeFileSync(keyFile, ((await made.json()) as { secret: string }).secret, { mode: 0o600 });
  const desk = { url: machine.started.url, usdPerHour: "0.45", gpu: "RTX 6000 Ada" };
  home = await realBox({
    LANTHORN_MARKETS: JSON.stringify({ desk: { type: "static", machine: desk } }),
    LANTHORN_RENTALS: JSON.stringify({
      den: { market: "desk", models: ["lanthorn-demo"], keyFile, idleStopMs: 1000 },
    }),
    LANTHORN_ROUTES: JSON.stringify({ coder: { targets: ["den/lanthorn-demo"], whileAsleep: "wait" } }),
  });
});
afterAll(async () => {
  await home.stop();
  await machine.stop();
  await folder.remove();
});

test("requests go there by its name and by a route, its rent is in the ledger, and nobody can end it", async () => {
  const ask = { messages: [{ role: "user", content: "hello" }], temperature: 0, seed: 1, max_tokens: 6 };
  // It is waited for like one that is being started, though nobody starts it.
  for (const model of ["coder", "den/lanthorn-demo"]) {
    const answer = await postChat(home.started.url, { model, ...ask });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-lanthorn-target")).toBe("den/lanthorn-demo");
  }
  await until("its tokens are counted", async () => ((await leases())[0]?.tokensServed ?? 0) > 0);
  const [lease, ...others] = await leases();
  expect(others).toEqual([]);
  expect(lease).toMatchObject({
    state: "ready",
    rental: "den",
    market: "desk",
    terms: null,
    perHourNanos: 450_000_000,
  });
  expect(lease?.burn.gpuNanos).toBeGreaterThan(0);
  expect(lease?.burn.usedNanos).toBeGreaterThan(0);
  const state = (await (await adminOf(home).call("GET", "/admin/state")).json()) as { rented: { power: unknown }[] };
  expect(state.rented[0]?.power).toMatchObject({ state: "ready", ready: 1 });
  for (const order of ["start", "stop", "destroy"]) {
    const refused = await adminOf(home).call("POST", `/admin/rentals/${lease?.id}/${order}`, {});
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("nobody can");
  }
  const rent = await adminOf(home).call("GET", "/admin/rentals/quote?rental=den");
  expect(await rent.text()).toContain("it is there without being rented");
});

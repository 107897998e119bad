/** A home box and its rented machine, both whole: TLS that home learns from the machine itself, and two ledgers that can be joined. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { requestAnswer } from "../../server/cli/answers.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { createUpstreamFetch, type UpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import { beat } from "../../server/rental/home/heart.ts";
import { openHomeKey } from "../../server/rental/home/home-key.ts";
import { learnCertificate } from "../../server/rental/home/learn-certificate.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { temporaryFolder } from "../support/real-engine.ts";
import { postChat, readStream } from "../support/sse.ts";

const firstKey = "the-first-key-of-this-machine-0123456789abcdef";
const { signal } = new AbortController();
const folder = await temporaryFolder();
const homeKey = openHomeKey(join(folder.path, "home.key"));
let rented: RealBox;
let home: RealBox;
let fingerprint: string;
/** Home's own way to its machine. */
let upstream: UpstreamFetch;

beforeAll(async () => {
  const machine = {
    LANTHORN_HEADLESS: "true",
    LANTHORN_TLS_MODE: "self-signed",
    LANTHORN_HOME_PUBLIC_KEY: homeKey.publicKey,
    LANTHORN_PRELOAD: "lanthorn-demo",
    // Nothing maps a port here, so the address is stated.
    LANTHORN_PUBLIC_URL: "https://gpu.example:40123",
  };
  const market = { CONTAINER_ID: "7", CONTAINER_API_KEY: "of this machine alone", VAST_CONTAINERLABEL: "C.7" };
  rented = await realBox(machine, {
    environment: { ...market, LANTHORN_FIRST_KEY: firstKey, VAST_API_KEY: "account" },
  });
  fingerprint = await learnCertificate(rented.started.url, firstKey, signal);
  upstream = createUpstreamFetch({ environment: {}, caFile: "", fingerprint });
  const providers = {
    attic: { type: "lanthorn", baseUrl: `${rented.started.url}/v1`, models: ["lanthorn-demo"], fingerprint },
  };
  home = await realBox(
    { LANTHORN_PROVIDERS: JSON.stringify(providers) },
    { environment: { LANTHORN_PROVIDER_ATTIC_KEY: firstKey } },
  );
});
afterAll(async () => {
  await home.stop();
  await upstream.close();
  await rented.stop();
  await folder.remove();
});

type Row = ReturnType<typeof requestAnswer.parse>;

async function adminGet<T>(box: RealBox, path: string): Promise<T> {
  const authorization = `Bearer ${readFileSync(join(box.home, "admin.key"), "utf8").trim()}`;
  const way = box === rented ? upstream.fetch : fetch;
  return (await (await way(`${box.started.url}${path}`, { headers: { authorization } })).json()) as T;
}

test("home learns the certificate from the machine, and from nobody who does not know the first key", async () => {
  expect(fingerprint).toBe(rented.started.fingerprint);
  await expect(learnCertificate(rented.started.url, `${firstKey}x`, signal)).rejects.toMatchObject({
    code: "upstream_failed",
    message: expect.stringContaining("not proven"),
  });
  await expect(learnCertificate("https://127.0.0.1:1", firstKey, signal)).rejects.toMatchObject({
    code: "upstream_unreachable",
  });
});

test("a request through home has a row on both sides, each with the other's id, and home counts it", async () => {
  const ask = { model: "attic/lanthorn-demo", messages: [{ role: "user", content: "hello" }], max_tokens: 8 };
  const stream = await readStream(home.started.url, ask);
  expect(stream.status).toBe(200);
  const whole = await postChat(home.started.url, ask);
  expect(whole.status).toBe(200);
  for (const { headers } of [stream, whole]) {
    const id = headers.get("x-request-id");
    const here = await adminGet<Row>(home, `/admin/usage/requests/${id}`);
    const there = await adminGet<Row>(rented, `/admin/usage/requests/${here.attempts[0]?.upstreamRequestId}`);
    expect(there).toMatchObject({
      callerName: "home",
      status: "done",
      notes: [{ code: "asked_by_box", detail: id }],
      usage: { completionTokens: here.usage.completionTokens },
    });
    expect(here.usage.completionTokens).toBeGreaterThan(0);
  }
});

test("another certificate at that address is not talked to", async () => {
  const wrong = createUpstreamFetch({ environment: {}, caFile: "", fingerprint: fingerprint.replace(/^../, "00") });
  await expect(wrong.fetch(`${rented.started.url}/v1/models`)).rejects.toThrow();
  await wrong.close();
});

interface State {
  readonly box: {
    readonly publicUrls: readonly string[];
    readonly rental: { readonly home: { readonly heardAt: number; readonly endsAtIfSilent: number } };
  };
  readonly idle: { readonly next: string | null; readonly steps: readonly { readonly step: string }[] };
}

test("the machine says what it is, when it ends itself, and hears home by its key and by its heartbeats", async () => {
  const before = await adminGet<State>(rented, "/admin/state");
  expect(before.box).toMatchObject({
    publicUrls: ["https://gpu.example:40123"],
    rental: { market: "vast", instanceId: "7", canEndItself: true, ending: null, home: { whenSilent: "stop-rental" } },
    preload: { model: "lanthorn-demo" },
  });
  expect(before.idle.steps.map(({ step }) => step)).toContain("stop-rental");
  const { heardAt, endsAtIfSilent } = before.box.rental.home;
  expect(endsAtIfSilent - heardAt).toBe(2_700_000);

  const keyed = { headers: { authorization: `Bearer ${firstKey}` } };
  expect((await upstream.fetch(`${rented.started.url}/v1/models`, keyed)).status).toBe(200);
  const byKey = (await adminGet<State>(rented, "/admin/state")).box.rental.home;
  expect(byKey.heardAt).toBeGreaterThan(heardAt);
  const target = { url: rented.started.url, instanceId: "7", upstream };
  await beat(target, { homeKey, clock: systemClock }, signal);
  const byBeat = (await adminGet<State>(rented, "/admin/state")).box.rental.home;
  expect(byBeat.heardAt).toBeGreaterThan(byKey.heardAt);
  await expect(beat({ ...target, instanceId: "8" }, { homeKey, clock: systemClock }, signal)).rejects.toThrow(
    "the machine 7, not 8",
  );
});

test("its public name is its own, its certificate is for it, and keys of an account are named and not used", async () => {
  const { line, warnings } = rented.started.rented;
  expect(line).toBe("vast 7: stopped when idle for 20 min, stopped when home is silent for 45 min");
  expect(warnings).toEqual([expect.stringContaining("VAST_API_KEY")]);
  const url = new URL(rented.started.url);
  const statusAs = async (host: string) => {
    const way = upstream.dispatcherFor(url);
    const answer = await way.request({ origin: url.origin, path: "/health", method: "GET", headers: { host } });
    await answer.body.dump();
    return answer.statusCode;
  };
  expect(await statusAs("gpu.example:40123")).toBe(200);
  expect(await statusAs("evil.example")).toBe(403);
  const socket = connect({ host: url.hostname, port: Number(url.port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  expect(socket.getPeerX509Certificate()?.checkHost("gpu.example")).toBe("gpu.example");
  socket.destroy();
});

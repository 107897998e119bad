/** Home and its machine: heartbeats that only home can give and nobody can give again, and notices that only the machine can. */
import { createPrivateKey, sign } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { heartbeatText, noticeText } from "../../../server/domain/rental/messages.ts";
import { openHomeKey } from "../../../server/rental/home/home-key.ts";
import { createNotices } from "../../../server/rental/home/notices.ts";
import { createHeartbeats } from "../../../server/rental/rented/heartbeat.ts";
import { sharedSecret } from "../../../server/rental/shared-secret.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function machine(instance = "12345678") {
  const clock = manualClock();
  const home = openHomeKey(join(temporaryFolder(), "home.key"));
  let beats = 0;
  const heartbeats = createHeartbeats({ publicKey: home.publicKey, instance, clock, heard: () => (beats += 1) });
  const signed = (challenge: string, atMs = clock.now(), of = instance) => ({
    challenge,
    atMs,
    signature: home.sign(heartbeatText({ instance: of, challenge, atMs })),
  });
  return { clock, home, heartbeats, signed, beats: () => beats };
}

test("a signed heartbeat is heard once, and says how far the clocks are apart", () => {
  const { clock, heartbeats, signed, beats } = machine();
  const beat = signed(heartbeats.ask().challenge, clock.now() - 4_000);
  expect(heartbeats.take(beat)).toEqual({ heard: true, skewMs: -4_000 });
  expect(() => heartbeats.take(beat)).toThrow(expect.objectContaining({ code: "unknown_key" }));
  expect(beats()).toBe(1);
});

test("a challenge is good for a minute, and none of another server is", () => {
  const { clock, heartbeats, signed, beats } = machine();
  const late = signed(heartbeats.ask().challenge);
  const inTime = signed(heartbeats.ask().challenge);
  clock.advance(60_000);
  expect(heartbeats.take(inTime)).toMatchObject({ heard: true });
  clock.advance(1);
  expect(() => heartbeats.take(late)).toThrow("too old");
  expect(() => heartbeats.take(signed(machine().heartbeats.ask().challenge))).toThrow("not of this server");
  expect(beats()).toBe(1);
});

test("nobody pushes out home's challenge by asking for many", () => {
  const { heartbeats, signed } = machine();
  const { challenge } = heartbeats.ask();
  for (let times = 0; times < 2_000; times += 1) heartbeats.ask();
  expect(heartbeats.take(signed(challenge))).toMatchObject({ heard: true });
});

test("another's signature, another machine's and a changed time are not home", () => {
  const { heartbeats, signed, beats } = machine();
  const { challenge } = heartbeats.ask();
  const good = signed(challenge);
  const stranger = openHomeKey(join(temporaryFolder(), "home.key"));
  const text = heartbeatText({ instance: "12345678", challenge, atMs: good.atMs });
  for (const wrong of [
    { ...good, signature: stranger.sign(text) },
    { ...good, atMs: good.atMs + 1 },
    { ...good, signature: "" },
    signed(challenge, good.atMs, "87654321"),
  ]) {
    expect(() => heartbeats.take(wrong)).toThrow(expect.objectContaining({ code: "unknown_key" }));
  }
  expect(() => heartbeats.take({ challenge })).toThrow(expect.objectContaining({ code: "invalid_request" }));
  expect(beats()).toBe(0);
  expect(heartbeats.take(good)).toMatchObject({ heard: true });
});

test("home's key is made once, stays, and is an ordinary Ed25519 key", () => {
  const file = join(temporaryFolder(), "home.key");
  const first = openHomeKey(file);
  const again = openHomeKey(file);
  expect(again.publicKey).toBe(first.publicKey);
  expect(Buffer.from(first.publicKey, "base64")).toHaveLength(32);
  expect(again.sign("text")).toBe(first.sign("text"));
  const rfc8032 = createPrivateKey({
    key: Buffer.from(
      "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "hex",
    ),
    format: "der",
    type: "pkcs8",
  });
  const heartbeats = createHeartbeats({
    // RFC 8032, 7.1, test 1.
    publicKey: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ...{ instance: "", clock: manualClock(), heard: () => {} },
  });
  const { challenge } = heartbeats.ask();
  const text = heartbeatText({ instance: "", challenge, atMs: 1 });
  const signature = sign(null, Buffer.from(text), rfc8032).toString("base64");
  expect(heartbeats.take({ challenge, atMs: 1, signature })).toMatchObject({ heard: true });
});

test("a notice is taken from the machine that knows its first key, while it is fresh", () => {
  const clock = manualClock();
  const told: [string, string][] = [];
  const take = createNotices({
    clock,
    firstKeyOf: (instance) => (instance === "12345678" ? "the first key of that machine" : null),
    notice: (instance, reason) => void told.push([instance, reason]),
  });
  const notice = { instance: "12345678", reason: "SIGTERM", atMs: clock.now() };
  const signed = (key: string, of = notice) => ({ ...of, signature: sharedSecret(key).sign(noticeText(of)) });
  expect(take(signed("the first key of that machine"))).toEqual({ taken: true });
  expect(told).toEqual([["12345678", "SIGTERM"]]);
  for (const wrong of [
    signed("another key"),
    { ...signed("the first key of that machine"), reason: "all is well" },
    signed("the first key of that machine", { ...notice, instance: "87654321" }),
    signed("the first key of that machine", { ...notice, atMs: notice.atMs - 601_000 }),
  ]) {
    expect(() => take(wrong)).toThrow(expect.objectContaining({ code: "unknown_key" }));
  }
  expect(told).toHaveLength(1);
});

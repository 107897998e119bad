import { expect, test } from "vitest";
import { type KeyLookup, type Keyring, createKeyring } from "../../../server/access/keyring.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { freshLedger } from "../ledger/open-ledger.ts";

interface Bench {
  readonly keyring: Keyring & KeyLookup;
  readonly clock: ManualClock;
  readonly ledger: ReturnType<typeof freshLedger>["ledger"];
}

function bench(environmentAdminKey: string | null = null): Bench {
  const { ledger } = freshLedger();
  const clock = manualClock();
  return { keyring: createKeyring({ keys: ledger.keys, clock, environmentAdminKey }), clock, ledger };
}

const jonas = { kind: "inference", name: "jonas", label: "opencode laptop" } as const;

test("a new key works at once, and its secret is in no listing", () => {
  const { keyring } = bench();
  const { secret, row } = keyring.create(jonas);
  expect(secret).toMatch(/^lth_[0-9A-Za-z]{43}$/);
  expect(keyring.lookUp(secret)).toEqual({
    kind: "known",
    caller: { kind: "key", keyId: row.id, name: "jonas" },
    chosen: false,
  });
  expect(JSON.stringify(keyring.list())).not.toContain(secret.slice(4, 20));
  expect(keyring.list()).toEqual([row]);
});

test("keys survive a restart, revoked ones as revoked", () => {
  const { keyring, clock, ledger } = bench();
  const kept = keyring.create(jonas);
  const revoked = keyring.create({ ...jonas, name: "mira" });
  keyring.revoke(revoked.row.id);
  const again = createKeyring({ keys: ledger.keys, clock, environmentAdminKey: null });
  expect(again.lookUp(kept.secret).kind).toBe("known");
  expect(again.lookUp(revoked.secret)).toEqual({
    kind: "revoked",
    tail: revoked.secret.slice(-4),
    revokedAtMs: clock.now(),
  });
});

test("a revoked key ends at once", () => {
  const { keyring } = bench();
  const { secret, row } = keyring.create(jonas);
  expect(keyring.isActive(row.id)).toBe(true);
  expect(keyring.revoke(row.id)?.revokedAtMs).not.toBeNull();
  expect(keyring.lookUp(secret).kind).toBe("revoked");
  expect(keyring.isActive(row.id)).toBe(false);
  expect(keyring.revoke(99)).toBeNull();
});

test("S-36 nothing but the very key is known", () => {
  const { keyring } = bench();
  const { secret } = keyring.create(jonas);
  for (const wrong of ["", " ", "' OR 1=1 --", secret.slice(0, -1), `${secret}x`, secret.toLowerCase(), "lth_…9f3c"]) {
    expect(keyring.lookUp(wrong).kind, wrong).toBe("unknown");
  }
});

test("a person finds a key by id, name, end or the whole of it; a live one before a revoked one", () => {
  const { keyring } = bench();
  const old = keyring.create(jonas);
  keyring.revoke(old.row.id);
  const { secret, row } = keyring.create(jonas);
  const other = keyring.create({ ...jonas, name: "mira", label: null });
  const tail = secret.slice(-4);
  for (const selector of [String(row.id), "jonas", tail, `…${tail}`, `lth_…${tail}`, `lth_...${tail}`, secret]) {
    expect(keyring.find(selector).map((key) => key.id)).toEqual([row.id]);
  }
  expect(keyring.find(String(old.row.id)).map((key) => key.id)).toEqual([old.row.id]);
  expect(keyring.find("mira").map((key) => key.id)).toEqual([other.row.id]);
  expect(keyring.find("nobody")).toEqual([]);
});

test("a name is one line of 1 to 100 characters", () => {
  const { keyring } = bench();
  for (const name of ["", "  ", "two\nlines", "x".repeat(101), "esc\u001b[2J"]) {
    expect(() => keyring.create({ ...jonas, name })).toThrow(
      expect.objectContaining({ code: "invalid_request", param: "name" }),
    );
  }
  expect(() => keyring.create({ ...jonas, label: "" })).toThrow(expect.objectContaining({ param: "label" }));
  expect(keyring.create({ ...jonas, name: " Zoë 😀 " }).row.name).toBe("Zoë 😀");
  expect(keyring.list()).toHaveLength(1);
});

test("a lost admin key is replaced: the old ones die, members stay", () => {
  const { keyring } = bench();
  expect(keyring.hasAdminKey()).toBe(false);
  const first = keyring.resetAdmin();
  const member = keyring.create(jonas);
  const second = keyring.resetAdmin();
  expect(keyring.hasAdminKey()).toBe(true);
  expect(keyring.lookUp(first.secret).kind).toBe("revoked");
  expect(keyring.lookUp(second.secret)).toMatchObject({ kind: "known", caller: { kind: "admin" } });
  expect(keyring.lookUp(member.secret).kind).toBe("known");
});

test("an admin key from the environment works and is stored nowhere", () => {
  const { keyring } = bench("chosen-admin-key");
  expect(keyring.lookUp("chosen-admin-key")).toEqual({
    kind: "known",
    caller: { kind: "admin", keyId: null, name: "admin" },
    chosen: true,
  });
  expect(keyring.list()).toEqual([]);
  expect(keyring.hasAdminKey()).toBe(false);
  // A change of other keys does not lose it.
  keyring.create(jonas);
  expect(keyring.lookUp("chosen-admin-key").kind).toBe("known");
});

test("the last use is written every ten seconds at most, and shown exactly as it is known", () => {
  const { keyring, clock, ledger } = bench();
  const { row } = keyring.create(jonas);
  const stored = () => {
    ledger.writer.flush();
    return ledger.keys.list()[0]?.lastUsedAtMs;
  };
  keyring.touch(row.id);
  const firstMs = clock.now();
  expect(stored()).toBe(firstMs);
  clock.advance(9999);
  keyring.touch(row.id);
  expect(stored()).toBe(firstMs);
  clock.advance(1);
  keyring.touch(row.id);
  expect(stored()).toBe(firstMs + 10_000);
  expect(keyring.list()[0]?.lastUsedAtMs).toBe(firstMs + 10_000);
});

test("a key that expires is refused from that moment on, in listings too, and its sign-ins end", () => {
  const { keyring, clock, ledger } = bench();
  const { secret, row } = keyring.create({ ...jonas, expiresAtMs: clock.now() + 1000 });
  const after = keyring.create(jonas);
  expect(keyring.list()[0]).toMatchObject({ expiresAtMs: row.expiresAtMs });
  clock.advance(999);
  expect(keyring.lookUp(secret).kind).toBe("known");
  expect(keyring.isActive(row.id)).toBe(true);
  clock.advance(1);
  expect(keyring.lookUp(secret)).toEqual({ kind: "expired", tail: secret.slice(-4), expiredAtMs: row.expiresAtMs });
  expect(keyring.isActive(row.id)).toBe(false);
  expect(keyring.find("jonas").map((key) => key.id)).toEqual([after.row.id]);
  const again = createKeyring({ keys: ledger.keys, clock, environmentAdminKey: null });
  expect(again.lookUp(secret).kind).toBe("expired");
  expect(again.lookUp(after.secret).kind).toBe("known");
});

test("a key cannot be made dead", () => {
  const { keyring, clock } = bench();
  for (const expiresAtMs of [0, -1, clock.now(), 1.5 + clock.now(), Number.NaN]) {
    expect(() => keyring.create({ ...jonas, expiresAtMs })).toThrow(expect.objectContaining({ param: "expiresAtMs" }));
  }
  expect(keyring.list()).toEqual([]);
});

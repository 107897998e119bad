import { usualLimits } from "../../../server/domain/caller.ts";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type KeyStore, type NewKey, hashKey } from "../../../server/ledger/keys.ts";
import { newKeySecret } from "../../../server/platform/ids.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";
import { ending, opening } from "./rows.ts";

function newKey(secret: string, change: Partial<NewKey> = {}): NewKey {
  return {
    kind: "inference",
    name: "jonas",
    label: "opencode laptop",
    hash: hashKey(secret),
    tail: secret.slice(-4),
    createdAtMs: 1000,
    ...change,
  };
}

test("a key is found by the hash of its secret, and by nothing else", () => {
  const { keys } = freshLedger().ledger;
  const secret = newKeySecret();
  const row = keys.create(newKey(secret));
  expect(row).toEqual({
    id: 1,
    kind: "inference",
    name: "jonas",
    label: "opencode laptop",
    tail: secret.slice(-4),
    createdAtMs: 1000,
    lastUsedAtMs: null,
    revokedAtMs: null,
    expiresAtMs: null,
    isolate: false,
    limits: usualLimits,
    routes: null,
  });
  expect(keys.findByHash(hashKey(secret))).toMatchObject(row);
  expect(keys.findByHash(hashKey("' OR 1=1 --"))).toBeNull();
  expect(keys.list()).toEqual([row]);
});

test("S-36 keys are stored hashed: no byte of the files holds one", async () => {
  const { ledger, path } = freshLedger();
  const secrets = Array.from({ length: 20 }, newKeySecret);
  for (const secret of secrets) ledger.keys.create(newKey(secret));
  const whileOpen = [readFileSync(path), readFileSync(`${path}-wal`)];
  await ledger.close();
  const bytes = Buffer.concat([...whileOpen, readFileSync(path)]);
  for (const secret of secrets) {
    expect(bytes.includes(secret)).toBe(false);
    expect(bytes.includes(secret.slice(4, 30))).toBe(false);
  }
  // The look itself works: what is stored is found.
  expect(bytes.includes(Buffer.from(hashKey(secrets[0] ?? "")))).toBe(true);
});

test("a revoked key stays, with the time of the first revocation; an id is never given twice", () => {
  const { keys } = freshLedger().ledger;
  const first = keys.create(newKey(newKeySecret()));
  expect(keys.revoke(first.id, 2000)).toMatchObject({ revokedAtMs: 2000 });
  expect(keys.revoke(first.id, 3000)).toMatchObject({ revokedAtMs: 2000 });
  expect(keys.revoke(99, 3000)).toBeNull();
  expect(keys.create(newKey(newKeySecret())).id).toBe(2);
  expect(keys.list()).toHaveLength(2);
});

test("a new admin key ends all others, and leaves inference keys alone", () => {
  const { keys } = freshLedger().ledger;
  const old = keys.create(newKey(newKeySecret(), { kind: "admin", name: "admin" }));
  const member = keys.create(newKey(newKeySecret()));
  const fresh = keys.replaceAdminKeys(newKey(newKeySecret(), { kind: "admin", name: "admin", createdAtMs: 5000 }));
  const revokedById = new Map(keys.list().map((key) => [key.id, key.revokedAtMs]));
  expect(revokedById).toEqual(
    new Map([
      [old.id, 5000],
      [member.id, null],
      [fresh.id, null],
    ]),
  );
});

test("when the new admin key cannot be stored, the old one stays good", () => {
  const { keys } = freshLedger().ledger;
  const secret = newKeySecret();
  const old = keys.create(newKey(secret, { kind: "admin", name: "admin" }));
  expect(() => keys.replaceAdminKeys(newKey(secret, { kind: "admin" }))).toThrow(
    expect.objectContaining({ code: "ledger_unavailable" }),
  );
  expect(keys.list()).toEqual([old]);
});

test("the last use goes along with the next commit and never backwards", () => {
  const { ledger } = freshLedger();
  const lastUse = (store: KeyStore) => store.list()[0]?.lastUsedAtMs;
  const key = ledger.keys.create(newKey(newKeySecret()));
  ledger.keys.touchLastUsed(key.id, 9000);
  expect(lastUse(ledger.keys)).toBeNull();
  ledger.writer.flush();
  expect(lastUse(ledger.keys)).toBe(9000);
  ledger.keys.touchLastUsed(key.id, 8000);
  ledger.keys.touchLastUsed(12345, 8000);
  ledger.writer.flush();
  expect(lastUse(ledger.keys)).toBe(9000);
});

test("a request remembers its key, and a key that does not exist cannot be named", async () => {
  const { ledger, path } = freshLedger();
  const key = ledger.keys.create(newKey(newKeySecret()));
  ledger.writer.openRequest(opening("req_1", { callerKind: "key", keyId: key.id, callerName: key.name }));
  await ledger.writer.closeRequest(ending("req_1"));
  ledger.writer.openRequest(opening("req_2", { callerKind: "key", keyId: 77 }));
  await expect(ledger.writer.closeRequest(ending("req_2"))).rejects.toMatchObject({ code: "internal" });
  expect(rowsOf(path, "SELECT id, key_id FROM requests")).toEqual([{ id: "req_1", key_id: key.id }]);
});

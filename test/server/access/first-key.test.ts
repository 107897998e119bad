/** The first key, handed in from outside: taken as a hash, replaced by a later one, and never taken back from whoever revoked it. */
import { expect, test } from "vitest";
import { firstKeyFromEnvironment, firstKeyOf } from "../../../server/access/first-key.ts";
import { createKeyring } from "../../../server/access/keyring.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { freshLedger } from "../ledger/open-ledger.ts";

const first = "0123456789abcdef0123456789abcdef-first";
const second = "0123456789abcdef0123456789abcdef-second";

function box() {
  const { ledger } = freshLedger();
  const start = () => createKeyring({ keys: ledger.keys, clock: manualClock(), environmentAdminKey: null });
  return { start };
}

test("it works, is stored as a hash only, and is the same key after a restart", () => {
  const { start } = box();
  const taken = firstKeyOf({ LANTHORN_FIRST_KEY: ` ${first}\n` }, start());
  const keyring = start();
  expect(keyring.lookUp(first)).toMatchObject({
    kind: "known",
    caller: { kind: "key", keyId: taken?.keyId, name: "home" },
  });
  expect(JSON.stringify(keyring.list())).not.toContain(first.slice(0, 20));
  expect(firstKeyOf({ LANTHORN_FIRST_KEY: first }, keyring)?.keyId).toBe(taken?.keyId);
  expect(keyring.list()).toHaveLength(1);
});

test("another one at a later start takes its place; keys of others stay", () => {
  const { start } = box();
  const keyring = start();
  const { secret } = keyring.create({ kind: "inference", name: "ann", label: null });
  firstKeyOf({ LANTHORN_FIRST_KEY: first }, keyring);
  firstKeyOf({ LANTHORN_FIRST_KEY: second }, keyring);
  expect([first, second, secret].map((key) => keyring.lookUp(key).kind)).toEqual(["revoked", "known", "known"]);
});

test("one that was revoked here, or is an admin's, does not start", () => {
  const { start } = box();
  const keyring = start();
  keyring.revoke(firstKeyOf({ LANTHORN_FIRST_KEY: first }, keyring)?.keyId ?? 0);
  expect(() => firstKeyOf({ LANTHORN_FIRST_KEY: first }, keyring)).toThrow(
    expect.objectContaining({ code: "cannot_start" }),
  );
  const admin = keyring.create({ kind: "admin", name: "admin", label: null }).secret;
  expect(() => firstKeyOf({ LANTHORN_FIRST_KEY: admin }, keyring)).toThrow("cannot be used on this box");
});

test.each([["short"], ["with a space in the middle of it, though long enough"], ["x".repeat(201)]])(
  "%s is no key",
  (text) => {
    expect(() => firstKeyFromEnvironment({ LANTHORN_FIRST_KEY: text })).toThrow(
      expect.objectContaining({ code: "cannot_start", message: "LANTHORN_FIRST_KEY cannot be used as a key." }),
    );
  },
);

test("none is none, and the admin key is not for inference", () => {
  expect(firstKeyFromEnvironment({})).toBeNull();
  expect(firstKeyFromEnvironment({ LANTHORN_FIRST_KEY: "  " })).toBeNull();
  expect(() => firstKeyFromEnvironment({ LANTHORN_FIRST_KEY: first, LANTHORN_ADMIN_KEY: first })).toThrow(
    expect.objectContaining({ why: expect.stringContaining("admin key") }),
  );
});

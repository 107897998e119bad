import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Admission,
  type StartFacts,
  adminKeyFromEnvironment,
  admissionAtStart,
  carryOutAdmission,
  readAdminKey,
  writeAdminKey,
} from "../../../server/access/admin-key.ts";
import { createKeyring } from "../../../server/access/keyring.ts";
import { newKeySecret } from "../../../server/platform/ids.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshLedger } from "../ledger/open-ledger.ts";

const loopback: StartFacts = {
  loopbackOnly: true,
  headless: false,
  hasAdminKey: false,
  environmentKey: false,
  terminal: false,
  lan: false,
  firstKeyFile: false,
};
const offLoopback: StartFacts = { ...loopback, loopbackOnly: false };

function outcome(facts: StartFacts): Admission["start"] | string {
  const admission = admissionAtStart(facts);
  if (!admission.start) return "refused";
  if (admission.create === null) return "no new key";
  return `${admission.create.writeTo}${admission.create.print ? ", printed" : ""}`;
}

const starts: readonly (readonly [what: string, facts: StartFacts, outcome: string])[] = [
  ["on loopback the first start makes a key for the box's own user", loopback, "data-folder"],
  ["the same on a terminal: nothing to show", { ...loopback, terminal: true }, "data-folder"],
  ["headless on a terminal: shown once", { ...loopback, headless: true, terminal: true }, "data-folder, printed"],
  ["headless without one: in the data folder", { ...loopback, headless: true }, "data-folder"],
  ["later starts make none", { ...loopback, hasAdminKey: true }, "no new key"],
  ["off loopback without a terminal and a key", offLoopback, "refused"],
  ["the same headless", { ...offLoopback, headless: true }, "refused"],
  ["--lan without a terminal", { ...offLoopback, lan: true }, "refused"],
  ["--host on a terminal, without --lan", { ...offLoopback, terminal: true }, "refused"],
  ["--lan on a terminal", { ...offLoopback, terminal: true, lan: true }, "data-folder, printed"],
  ["LANTHORN_ADMIN_KEY", { ...offLoopback, environmentKey: true }, "no new key"],
  ["--first-key-file", { ...offLoopback, firstKeyFile: true }, "first-key-file"],
  [
    "--first-key-file on a terminal",
    { ...offLoopback, firstKeyFile: true, terminal: true, lan: true },
    "first-key-file",
  ],
  ["an admin key that was made before", { ...offLoopback, hasAdminKey: true }, "no new key"],
];

test.each(starts)("S-37 start: %s", (_what, facts, expected) => {
  expect(outcome(facts)).toBe(expected);
});

test("S-37 the refusal says what is missing, and what to type", () => {
  const admission = admissionAtStart(offLoopback);
  if (admission.start) throw new Error("it started");
  expect(admission.failure.code).toBe("cannot_start");
  expect(admission.failure.why).toContain("LANTHORN_ADMIN_KEY");
  expect(admission.failure.why).toContain("--first-key-file");
  expect(admission.failure.next.length).toBeGreaterThan(0);
});

function bench() {
  const { ledger } = freshLedger();
  const keyring = createKeyring({ keys: ledger.keys, clock: manualClock(), environmentAdminKey: null });
  const folder = temporaryFolder();
  return { keyring, adminKeyFile: join(folder, "admin.key"), firstKeyFile: join(folder, "first.key") };
}

test("the first key is in admin.key, for its owner only, and works", () => {
  const places = bench();
  expect(carryOutAdmission(admissionAtStart(loopback), places)).toEqual({ printOnce: null });
  const secret = readAdminKey(places.adminKeyFile) ?? "";
  expect(statSync(places.adminKeyFile).mode & 0o777).toBe(0o600);
  expect(places.keyring.lookUp(secret)).toMatchObject({ kind: "known", caller: { kind: "admin" } });
});

test("on a terminal it is handed over to be printed, once", () => {
  const places = bench();
  const admission = admissionAtStart({ ...offLoopback, terminal: true, lan: true });
  const { printOnce } = carryOutAdmission(admission, places);
  expect(printOnce).toBe(readAdminKey(places.adminKeyFile));
  const again = admissionAtStart({
    ...offLoopback,
    terminal: true,
    lan: true,
    hasAdminKey: places.keyring.hasAdminKey(),
  });
  expect(carryOutAdmission(again, places)).toEqual({ printOnce: null });
});

test("a first key file gets the key instead", () => {
  const places = bench();
  carryOutAdmission(admissionAtStart({ ...offLoopback, firstKeyFile: true }), places);
  expect(places.keyring.lookUp(readFileSync(places.firstKeyFile, "utf8").trim()).kind).toBe("known");
  expect(statSync(places.firstKeyFile).mode & 0o777).toBe(0o600);
  expect(readAdminKey(places.adminKeyFile)).toBeNull();
});

test("a key that could not be handed over does not count, so the next start can try again", () => {
  const places = { ...bench(), firstKeyFile: join(temporaryFolder(), "no", "such", "folder", "key") };
  expect(() => carryOutAdmission(admissionAtStart({ ...offLoopback, firstKeyFile: true }), places)).toThrow(
    expect.objectContaining({ code: "cannot_start" }),
  );
  expect(places.keyring.hasAdminKey()).toBe(false);
});

test("only a key is read from admin.key", () => {
  const path = join(temporaryFolder(), "admin.key");
  expect(readAdminKey(path)).toBeNull();
  const secret = newKeySecret();
  writeAdminKey(path, secret);
  expect(readAdminKey(path)).toBe(secret);
  for (const text of ["", "lth_short", `${secret} ${secret}`]) {
    writeFileSync(path, text);
    expect(readAdminKey(path)).toBeNull();
  }
});

test("a chosen admin key must not be a word that can be guessed", () => {
  expect(adminKeyFromEnvironment({})).toBeNull();
  expect(adminKeyFromEnvironment({ LANTHORN_ADMIN_KEY: " " })).toBeNull();
  expect(adminKeyFromEnvironment({ LANTHORN_ADMIN_KEY: "chosen-admin-key\n" })).toBe("chosen-admin-key");
  for (const chosen of ["admin", "two words here", "naïve-key-1234"]) {
    expect(() => adminKeyFromEnvironment({ LANTHORN_ADMIN_KEY: chosen })).toThrow(
      expect.objectContaining({ code: "cannot_start" }),
    );
  }
});

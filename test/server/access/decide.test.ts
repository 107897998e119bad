import { expect, test } from "vitest";
import { type Caller, keylessCaller } from "../../../server/domain/caller.ts";
import {
  type AccessDecision,
  type AccessFacts,
  type BindFacts,
  type Credential,
  type RouteAccess,
  decideAccess,
} from "../../../server/access/authenticate.ts";

const member: Caller = { kind: "key", keyId: 1, name: "jonas" };
const admin: Caller = { kind: "admin", keyId: 2, name: "admin" };
const nowMs = Date.UTC(2026, 10, 20);

/** Every place a server can be, and whether inference is keyless there. */
const binds: readonly (readonly [bind: BindFacts, auth: AccessFacts["auth"], keyless: boolean])[] = [
  [{ loopbackOnly: true, headless: false }, "auto", true],
  [{ loopbackOnly: true, headless: false }, "always", false],
  [{ loopbackOnly: true, headless: true }, "auto", false],
  [{ loopbackOnly: true, headless: true }, "always", false],
  [{ loopbackOnly: false, headless: false }, "auto", false],
  [{ loopbackOnly: false, headless: false }, "always", false],
  [{ loopbackOnly: false, headless: true }, "auto", false],
  [{ loopbackOnly: false, headless: true }, "always", false],
];

type Verdict = 401 | 403 | Caller | null;

/** Credential, and what it gets: open route, inference where keyless is allowed, inference where not, admin. */
const table: readonly (readonly [string, Credential, Verdict, Verdict, Verdict, Verdict])[] = [
  ["nothing", { kind: "none" }, null, keylessCaller, 401, 401],
  ["a placeholder", { kind: "placeholder" }, null, keylessCaller, 401, 401],
  ["an unknown key", { kind: "unknown-key" }, null, 401, 401, 401],
  ["an expired key", { kind: "expired-key", tail: "9f3c", expiredAtMs: nowMs }, null, 401, 401, 401],
  ["a revoked key", { kind: "revoked-key", tail: "9f3c", revokedAtMs: nowMs }, null, 401, 401, 401],
  ["an inference key", { kind: "key", caller: member }, member, member, member, 403],
  ["an admin key", { kind: "key", caller: admin }, admin, admin, admin, admin],
  ["a member's sign-in", { kind: "session", caller: member }, member, member, member, 403],
  ["an admin's sign-in", { kind: "session", caller: admin }, admin, admin, admin, admin],
  ["a sign-in that is over", { kind: "session", caller: null }, null, keylessCaller, 401, 401],
];

const routes: readonly RouteAccess[] = ["open", "inference", "admin"];

function verdictOf(decision: AccessDecision): Verdict {
  if (decision.allowed) return decision.caller;
  const status = decision.failure.kind.httpStatus;
  if (status !== 401 && status !== 403) throw new Error(`unexpected status ${status}`);
  return status;
}

test.each(table)("S-37 access table: %s", (_name, credential, open, whereKeyless, whereNot, administering) => {
  for (const [bind, auth, keyless] of binds) {
    for (const route of routes) {
      const facts = { route, bind, auth, ownHost: true, ownOrigin: true, nowMs };
      const expected = { open, inference: keyless ? whereKeyless : whereNot, admin: administering }[route];
      expect(verdictOf(decideAccess(facts, credential)), JSON.stringify(facts)).toEqual(expected);
    }
  }
});

test.each(table)("S-37 a foreign Host or Origin is refused without a good key: %s", (_name, credential) => {
  const foreign = [
    { ownHost: false, ownOrigin: true },
    { ownHost: true, ownOrigin: false },
    { ownHost: false, ownOrigin: false },
  ];
  for (const [bind, auth] of binds) {
    for (const route of routes) {
      for (const names of foreign) {
        const facts = { route, bind, auth, ...names, nowMs };
        const verdict = verdictOf(decideAccess(facts, credential));
        const atHome = verdictOf(decideAccess({ ...facts, ownHost: true, ownOrigin: true }, credential));
        // A request with a key works behind a proxy's name; everything else is refused, with 401 where its key was bad.
        if (credential.kind === "key") expect(verdict).toEqual(atHome);
        else expect([401, 403], JSON.stringify(facts)).toContain(verdict);
      }
    }
  }
});

test("S-37 DNS rebinding: a made-up key does not open a keyless server to a foreign page", () => {
  const facts: AccessFacts = {
    route: "inference",
    bind: { loopbackOnly: true, headless: false },
    auth: "auto",
    ownHost: false,
    ownOrigin: true,
    nowMs,
  };
  expect(verdictOf(decideAccess(facts, { kind: "placeholder" }))).toBe(403);
  expect(verdictOf(decideAccess(facts, { kind: "unknown-key" }))).toBe(401);
});

test("only the holder of a revoked key learns that it was revoked, and when", () => {
  const facts: AccessFacts = {
    route: "inference",
    bind: { loopbackOnly: false, headless: false },
    auth: "auto",
    ownHost: true,
    ownOrigin: true,
    nowMs,
  };
  const message = (credential: Credential) => {
    const decision = decideAccess(facts, credential);
    return decision.allowed ? "allowed" : decision.failure.message;
  };
  const revokedAt = (revokedAtMs: number): Credential => ({ kind: "revoked-key", tail: "9f3c", revokedAtMs });
  expect(message(revokedAt(Date.UTC(2026, 10, 18, 12)))).toBe("This key (…9f3c) was revoked on 18 Nov.");
  expect(message(revokedAt(Date.UTC(2025, 10, 18, 12)))).toBe("This key (…9f3c) was revoked on 18 Nov 2025.");
  const expiredAtMs = Date.UTC(2026, 10, 18, 12);
  expect(message({ kind: "expired-key", tail: "9f3c", expiredAtMs })).toBe(
    "This key (…9f3c) expired on 18 Nov. Ask for a new one.",
  );
  expect(message({ kind: "unknown-key" })).toBe("Unknown key.");
  expect(message({ kind: "none" })).toBe("This server needs a key. Ask whoever runs it for one.");
});

import { expect, test } from "vitest";
import type { Caller } from "../../../server/domain/caller.ts";
import type { Failure } from "../../../server/domain/failure.ts";
import { type Access, type AccessOptions, type AccessRequest, createAccess } from "../../../server/access/access.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { freshLedger } from "../ledger/open-ledger.ts";

interface Bench {
  readonly access: Access;
  readonly clock: ManualClock;
  readonly ledger: ReturnType<typeof freshLedger>["ledger"];
}

function bench(change: Partial<AccessOptions> = {}): Bench {
  const { ledger } = freshLedger();
  const clock = manualClock();
  const access = createAccess({
    keys: ledger.keys,
    clock,
    bind: { loopbackOnly: false, headless: false },
    auth: "auto",
    environmentAdminKey: null,
    ...change,
  });
  return { access, clock, ledger };
}

function request(change: Partial<AccessRequest> = {}): AccessRequest {
  return {
    route: "inference",
    authorization: undefined,
    apiKey: undefined,
    sessionToken: undefined,
    ownHost: true,
    ownOrigin: true,
    remoteAddress: "10.0.0.1",
    ...change,
  };
}

function failureOf(ask: () => Caller | null | { readonly token: string }): Pick<Failure, "code" | "retryAfterSeconds"> {
  try {
    ask();
  } catch (error) {
    const { code, retryAfterSeconds } = error as Failure;
    return { code, retryAfterSeconds };
  }
  throw new Error("it was allowed");
}

test("the holder of a key is known by name, and the key's last use is noted", () => {
  const { access, ledger, clock } = bench();
  const { secret, row } = access.keyring.create({ kind: "inference", name: "jonas", label: null });
  const caller = access.authenticate(request({ authorization: `Bearer ${secret}` }));
  expect(caller).toEqual({ kind: "key", keyId: row.id, name: "jonas" });
  ledger.writer.flush();
  expect(ledger.keys.list()[0]?.lastUsedAtMs).toBe(clock.now());
});

test("S-36 wrong keys: 401, and 429 with the seconds to wait after ten in a minute; good keys still pass", () => {
  const { access, clock } = bench();
  const { secret } = access.keyring.create({ kind: "inference", name: "jonas", label: null });
  for (const wrong of ["' OR 1=1 --", "lth_x", "sk-other", "x", "1", "2", "3", "4", "5", "6"]) {
    expect(failureOf(() => access.authenticate(request({ apiKey: wrong })))).toEqual({
      code: "unknown_key",
      retryAfterSeconds: null,
    });
  }
  expect(failureOf(() => access.authenticate(request({ apiKey: "lth_x" })))).toEqual({
    code: "rate_limited",
    retryAfterSeconds: 6,
  });
  expect(access.authenticate(request({ apiKey: secret }))).toMatchObject({ name: "jonas" });
  expect(failureOf(() => access.authenticate(request({ apiKey: "x", remoteAddress: "10.0.0.2" }))).code).toBe(
    "unknown_key",
  );
  clock.advance(6000);
  expect(failureOf(() => access.authenticate(request({ apiKey: "lth_x" }))).code).toBe("unknown_key");
});

test("an admin key that a person chose cannot be guessed fast: past the limit even the right one waits", () => {
  const { access, clock } = bench({ environmentAdminKey: "chosen-admin-key" });
  const ask = (apiKey: string) => access.authenticate(request({ route: "admin", apiKey }));
  expect(ask("chosen-admin-key")).toEqual({ kind: "admin", keyId: null, name: "admin" });
  for (let tries = 0; tries < 10; tries += 1) failureOf(() => ask(`guess-${tries}`));
  expect(failureOf(() => ask("chosen-admin-key")).code).toBe("rate_limited");
  clock.advance(6000);
  expect(ask("chosen-admin-key")).toMatchObject({ kind: "admin" });
});

test("requests without a key are refused without being counted as guesses", () => {
  const { access } = bench();
  for (let tries = 0; tries < 30; tries += 1) {
    expect(failureOf(() => access.authenticate(request())).code).toBe("unknown_key");
    expect(failureOf(() => access.authenticate(request({ ownHost: false, route: "admin" }))).code).toBe("forbidden");
  }
});

test("on a loopback server a client's placeholder key is no key", () => {
  const { access } = bench({ bind: { loopbackOnly: true, headless: false } });
  expect(access.authenticate(request({ authorization: "Bearer not-needed" }))).toMatchObject({ kind: "keyless" });
  expect(failureOf(() => access.authenticate(request({ apiKey: `lth_${"x".repeat(43)}` }))).code).toBe("unknown_key");
  expect(failureOf(() => access.authenticate(request({ apiKey: "x", route: "admin" }))).code).toBe("unknown_key");
});

test("a browser signs in with a key, and its sign-in ends with that key", () => {
  const { access } = bench();
  const admin = access.keyring.resetAdmin();
  const { token, caller } = access.signIn(admin.secret, "10.0.0.1");
  expect(caller.kind).toBe("admin");
  const asBrowser = request({ route: "admin", sessionToken: token });
  expect(access.authenticate(asBrowser)).toEqual(caller);
  // Another page of the same browser sends the same cookie, but its own Origin.
  expect(failureOf(() => access.authenticate({ ...asBrowser, ownOrigin: false })).code).toBe("forbidden");
  access.keyring.resetAdmin();
  expect(failureOf(() => access.authenticate(asBrowser)).code).toBe("unknown_key");
});

test("signing in is limited like any other way to try keys", () => {
  const { access } = bench({ bind: { loopbackOnly: true, headless: false } });
  for (let tries = 0; tries < 10; tries += 1) {
    expect(failureOf(() => access.signIn(`guess-${tries}`, "10.0.0.1")).code).toBe("unknown_key");
  }
  expect(failureOf(() => access.signIn("guess", "10.0.0.1"))).toEqual({ code: "rate_limited", retryAfterSeconds: 6 });
});

test("an open route says who is there when somebody is", () => {
  const { access } = bench();
  const { secret } = access.keyring.create({ kind: "inference", name: "jonas", label: null });
  expect(access.authenticate(request({ route: "open" }))).toBeNull();
  expect(access.authenticate(request({ route: "open", apiKey: secret }))).toMatchObject({ name: "jonas" });
  expect(failureOf(() => access.authenticate(request({ route: "open", ownHost: false }))).code).toBe("forbidden");
});

import { expect, test } from "vitest";
import type { Caller } from "../../../server/domain/caller.ts";
import { type PresentedCredentials, findCredential, keysPresented } from "../../../server/access/credential.ts";

const member: Caller = { kind: "key", keyId: 1, name: "jonas" };

function presented(change: Partial<PresentedCredentials>): PresentedCredentials {
  return { authorization: undefined, apiKey: undefined, sessionToken: undefined, ...change };
}

function kindOf(change: Partial<PresentedCredentials>): string {
  return findCredential(presented(change), {
    key: (secret) => {
      if (secret === "lth_good") return { kind: "known", caller: member, chosen: false };
      if (secret === "lth_revoked") return { kind: "revoked", tail: "oked", revokedAtMs: 0 };
      return { kind: "unknown" };
    },
    session: (token) => (token === "good" ? member : null),
  }).credential.kind;
}

test("a key comes as a bearer token or in x-api-key", () => {
  expect(keysPresented(presented({ authorization: "Bearer abc" }))).toEqual(["abc"]);
  expect(keysPresented(presented({ authorization: "bearer   abc " }))).toEqual(["abc"]);
  expect(keysPresented(presented({ apiKey: "abc" }))).toEqual(["abc"]);
  expect(keysPresented(presented({ authorization: "Bearer a", apiKey: "b" }))).toEqual(["a", "b"]);
});

test("another scheme is meant for somebody else, and an empty key is none", () => {
  for (const authorization of ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "", "abc"]) {
    expect(keysPresented(presented({ authorization }))).toEqual([]);
  }
  expect(kindOf({ apiKey: " " })).toBe("none");
});

const cases: readonly (readonly [what: string, given: Partial<PresentedCredentials>, kind: string])[] = [
  ["a good key", { authorization: "Bearer lth_good" }, "key"],
  ["a good key beside a bad one", { authorization: "Bearer lth_bad", apiKey: "lth_good" }, "key"],
  ["a revoked key", { apiKey: "lth_revoked" }, "revoked-key"],
  ["a bad key beside a revoked one", { authorization: "Bearer lth_revoked", apiKey: "lth_bad" }, "revoked-key"],
  ["a key of ours that we do not know", { apiKey: "lth_bad" }, "unknown-key"],
  ["SQL in a key", { authorization: "Bearer ' OR '1'='1" }, "unknown-key"],
  ["a very long key of ours", { apiKey: `lth_${"x".repeat(10_000)}` }, "unknown-key"],
  ["what a client sends when none is needed", { authorization: "Bearer ollama" }, "placeholder"],
  ["a key of another vendor", { apiKey: "sk-proj-Abc_123==" }, "placeholder"],
  ["a bad key beside a placeholder", { authorization: "Bearer ollama", apiKey: "lth_bad" }, "unknown-key"],
  ["a sign-in", { sessionToken: "good" }, "session"],
  ["a sign-in that is over", { sessionToken: "old" }, "session"],
  ["a sign-in beside a placeholder", { apiKey: "ollama", sessionToken: "good" }, "session"],
  ["a sign-in beside a bad key", { apiKey: "lth_bad", sessionToken: "good" }, "unknown-key"],
  ["nothing", {}, "none"],
];

test.each(cases)("%s", (_what, given, kind) => {
  expect(kindOf(given)).toBe(kind);
});

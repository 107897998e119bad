/** The Hub's protocol where it is a decision: where a redirect may lead, who sees the token, how long to wait. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  innermost,
  mayHaveToken,
  mayLead,
  redirectTarget,
  scopeOfAddress,
  scopeOfHost,
} from "../../../models/download/hub/addresses.ts";
import { hubUrl, inPath, readHubSettings } from "../../../models/download/hub/endpoint.ts";
import { askedWaitMs, hubRefusal } from "../../../models/download/hub/refusals.ts";
import { DownloadTrouble } from "../../../models/download/trouble.ts";
import type { Failure } from "../../../server/domain/failure.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("redirects", () => {
  const from = new URL("https://hub.example/acme/coder/resolve/main/x.gguf");

  test("a relative one stays, an absolute one leads to its host", () => {
    expect(redirectTarget("/acme/new/resolve/main/x.gguf", from).href).toBe(
      "https://hub.example/acme/new/resolve/main/x.gguf",
    );
    expect(redirectTarget("https://cdn.example/x?Signature=1#part", from).href).toBe(
      "https://cdn.example/x?Signature=1",
    );
  });

  test.each([
    ["file:///etc/passwd"],
    ["ftp://cdn.example/x"],
    ["javascript:alert(1)"],
    ["data:text/plain,x"],
    ["http://cdn.example/x"],
    ["https://user:secret@cdn.example/x"],
    ["https://"],
    [undefined],
  ])("%s is not followed", (location) => {
    expect(() => redirectTarget(location, from)).toThrow(expect.objectContaining({ code: "redirect_refused" }));
  });

  test.each([
    ["169.254.169.254", "special"],
    ["[fe80::1]", "special"],
    ["0.0.0.0", "special"],
    ["[::]", "special"],
    ["127.0.0.1", "loopback"],
    ["127.9.9.9", "loopback"],
    ["[::1]", "loopback"],
    ["[::ffff:127.0.0.1]", "loopback"],
    ["localhost", "loopback"],
    ["hub.localhost.", "loopback"],
    ["10.1.2.3", "private"],
    ["172.31.0.1", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["[fd00::1]", "private"],
    ["[::ffff:10.0.0.1]", "private"],
    ["1.1.1.1", "public"],
    ["[2606:4700::1]", "public"],
    ["cdn.example", null],
  ])("%s is %s", (host, scope) => {
    expect(scopeOfHost(host)).toBe(scope);
  });

  test("spellings of an address are read as the browser's rules read them", () => {
    const host = (text: string) => scopeOfHost(new URL(text).hostname);
    expect(["http://0x7f.1/", "http://2130706433/", "http://0177.0.0.1/", "http://127.1/"].map(host)).toEqual([
      "loopback",
      "loopback",
      "loopback",
      "loopback",
    ]);
  });

  test("a Hub leads outwards or stays in its own circle, and nobody leads to a metadata service", () => {
    const allowed = (hub: "public" | "private" | "loopback") =>
      (["public", "private", "loopback", "special"] as const).filter((target) => mayLead(hub, target));
    expect(allowed("public")).toEqual(["public"]);
    expect(allowed("private")).toEqual(["public", "private"]);
    expect(allowed("loopback")).toEqual(["public", "private", "loopback"]);
    expect(innermost(["public", scopeOfAddress("10.0.0.1")])).toBe("private");
    expect(innermost([])).toBe("public");
  });

  test("the token is for the Hub's own origin, encrypted or on this machine", () => {
    const may = (target: string, endpoint: string) => mayHaveToken(new URL(target), new URL(endpoint));
    expect(may("https://hub.example/x", "https://hub.example/")).toBe(true);
    expect(may("http://127.0.0.1:1/x", "http://127.0.0.1:1/")).toBe(true);
    expect(may("https://hub.example:8443/x", "https://hub.example/")).toBe(false);
    expect(may("https://hub.example.evil.example/x", "https://hub.example/")).toBe(false);
    expect(may("https://cdn.hub.example/x", "https://hub.example/")).toBe(false);
    expect(may("http://hub.example/x", "https://hub.example/")).toBe(false);
    expect(may("http://hub.example/x", "http://hub.example/")).toBe(false);
  });
});

describe("endpoint and token", () => {
  const nobody = { HF_HOME: "/nonexistent" };

  test("the setting wins over HF_ENDPOINT, which wins over the public Hub", () => {
    const endpoint = (configured: string, environment = {}) =>
      readHubSettings(configured, { ...nobody, ...environment }).endpoint.href;
    expect(endpoint("")).toBe("https://huggingface.co/");
    expect(endpoint("", { HF_ENDPOINT: "https://mirror.example" })).toBe("https://mirror.example/");
    expect(endpoint("http://10.0.0.5/hub", { HF_ENDPOINT: "https://mirror.example" })).toBe("http://10.0.0.5/hub/");
  });

  test.each(["mirror.example", "ftp://mirror.example", "https://me:secret@mirror.example"])("%s is no Hub", (text) => {
    expect(() => readHubSettings(text, nobody)).toThrow(
      expect.objectContaining({ code: "cannot_start", param: "hub.endpoint" }) as Failure,
    );
  });

  test("the token comes from HF_TOKEN, else from the shared file; what could end a header's line is none", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "huggingface"));
    writeFileSync(join(folder, "huggingface", "token"), "hf_from_file\n");
    writeFileSync(join(folder, "other"), "hf_other");
    const token = (environment: Record<string, string>) => readHubSettings("", environment).token;
    expect(token({ XDG_CACHE_HOME: folder })).toBe("hf_from_file");
    expect(token({ HF_HOME: join(folder, "huggingface") })).toBe("hf_from_file");
    expect(token({ HF_TOKEN_PATH: join(folder, "other") })).toBe("hf_other");
    expect(token({ XDG_CACHE_HOME: folder, HF_TOKEN: " hf_given " })).toBe("hf_given");
    expect(token({ ...nobody, HF_TOKEN: "hf\r\nx-evil: 1" })).toBeNull();
    expect(token(nobody)).toBeNull();
  });

  test("names in an address stay names", () => {
    const url = hubUrl(
      new URL("https://hub.example/base/"),
      `${inPath("acme/x?y#z")}/resolve/main/${inPath("a b/ü.gguf")}`,
    );
    expect(url.href).toBe("https://hub.example/base/acme/x%3Fy%23z/resolve/main/a%20b/%C3%BC.gguf");
  });
});

describe("refusals", () => {
  const nowMs = Date.parse("2026-11-26T10:00:00Z");

  test.each([
    [{ "retry-after": "42" }, 42_000],
    [{ "retry-after": "Thu, 26 Nov 2026 10:00:07 GMT" }, 7_000],
    [{ "retry-after": "Thu, 26 Nov 2026 09:00:00 GMT" }, 0],
    [{ ratelimit: '"api";r=0;t=55' }, 55_000],
    [{ ratelimit: '"api";r=12;t=300, "resolvers";r=0;t=17' }, 17_000],
    [{ ratelimit: '"api";r=12;t=300' }, null],
    [{ "retry-after": "soon" }, null],
    [{}, null],
  ])("%j asks to wait %s ms", (headers, expected) => {
    expect(askedWaitMs(headers, nowMs)).toBe(expected);
  });

  const question = {
    repository: "acme/coder",
    path: "x.gguf",
    hasToken: false,
    page: "https://hub.example/acme/coder",
  };

  test.each([
    [403, "GatedRepo", "gated", "never"],
    [401, "GatedRepo", "gated", "never"],
    [401, "RepoNotFound", "not_found", "never"],
    [404, "RevisionNotFound", "not_found", "never"],
    [404, "EntryNotFound", "not_found", "never"],
    [401, "", "unauthorized", "never"],
    [429, "", "rate_limited", "wait"],
    [500, "", "server_error", "again"],
    [418, "", "server_error", "doubt"],
  ])("%i %s means %s, remedy %s", (status, code, expected, remedy) => {
    const trouble = hubRefusal(status, code === "" ? {} : { "x-error-code": code }, question, nowMs);
    expect(trouble).toBeInstanceOf(DownloadTrouble);
    expect([trouble.code, trouble.remedy.kind]).toEqual([expected, remedy]);
  });

  test("without a token the next step is a token, with one it is not", () => {
    const next = (hasToken: boolean) =>
      hubRefusal(403, { "x-error-code": "GatedRepo" }, { ...question, hasToken }, nowMs).next;
    expect(next(false)).toEqual(["export HF_TOKEN=<token>"]);
    expect(next(true)).toEqual([]);
  });
});

/** What a model's name leads to, and every name that must lead nowhere. */
import { describe, expect, test } from "vitest";
import { catalog } from "../../../models/catalog/catalog.ts";
import { resolveModelName } from "../../../models/catalog/name.ts";
import { pathProblem, segmentProblem } from "../../../models/catalog/name-rules.ts";
import { halfPairs, naughtyStrings } from "../../support/naughty-strings.ts";

const usual = { kind: "usual" };
const commit = "13fb94bfda8c8cf22497dc57b78f391a9acb426a";

describe("the catalog", () => {
  test("is asked first, by id and alias, whatever the case", () => {
    for (const entry of catalog) {
      for (const name of [entry.id, ...entry.aliases, entry.id.toUpperCase()]) {
        expect(resolveModelName(name)).toEqual({ kind: "catalog", entry });
      }
    }
  });

  test("a quantization behind it is the entry's own, or leads to its repository at its revision", () => {
    const own = resolveModelName("qwen2.5-coder-7b-instruct:q4_K_m");
    expect(own).toMatchObject({ kind: "catalog", entry: { id: "qwen2.5-coder-7b-instruct" } });
    expect(resolveModelName("qwen2.5-coder-7b-instruct:Q8_0")).toEqual({
      kind: "hub",
      repository: "Qwen/Qwen2.5-Coder-7B-Instruct-GGUF",
      revision: commit,
      wanted: { kind: "quantization", quantization: "Q8_0" },
    });
  });

  test("a slip of the keyboard is told the nearest id", () => {
    expect(resolveModelName("qwen2.5-coder-7b-instrcut")).toMatchObject({
      kind: "unknown",
      nearest: "qwen2.5-coder-7b-instruct",
    });
    expect(resolveModelName("something-else-entirely-that-is-long")).toMatchObject({ kind: "unknown", nearest: null });
  });
});

describe("the Hub", () => {
  test.each([
    ["owner/repo", { repository: "owner/repo", revision: null, wanted: usual }],
    [
      "Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M",
      {
        repository: "Qwen/Qwen2.5-Coder-7B-Instruct-GGUF",
        revision: null,
        wanted: { kind: "quantization", quantization: "Q4_K_M" },
      },
    ],
    [
      "owner/repo/folder/file-q4_k_m.gguf",
      { repository: "owner/repo", revision: null, wanted: { kind: "file", path: "folder/file-q4_k_m.gguf" } },
    ],
    [`owner/repo@${commit}`, { repository: "owner/repo", revision: commit, wanted: usual }],
    ["owner/repo@main:UD-Q4_K_XL", { revision: "main", wanted: { kind: "quantization", quantization: "UD-Q4_K_XL" } }],
    ["owner/repo@v1.0/a.gguf", { revision: "v1.0", wanted: { kind: "file", path: "a.gguf" } }],
    ["o_1/r.e-p_o/A model (v2) [x].gguf", { wanted: { kind: "file", path: "A model (v2) [x].gguf" } }],
  ])("%s", (text, expected) => {
    expect(resolveModelName(text)).toMatchObject({ kind: "hub", ...expected });
  });
});

describe("a file of this machine", () => {
  test.each([
    "/models/a.gguf",
    "./a.gguf",
    "../a.gguf",
    "~/a.gguf",
    "a.gguf",
    "models/a.gguf",
    "C:\\m\\a.gguf",
    ".\\a",
  ])("%s is a path for whoever sits at it", (text) =>
    expect(resolveModelName(text, { paths: true })).toEqual({ kind: "path", path: text }),
  );

  test("is never one for a name from the network", () => {
    for (const text of ["/models/a.gguf", "./a.gguf", "../a.gguf", "~/a.gguf", "C:\\m\\a.gguf", "C:/m/a.gguf"]) {
      expect(resolveModelName(text), text).toMatchObject({ kind: "refused" });
    }
  });

  test("holds no zero byte and no escape either", () => {
    expect(resolveModelName("./a\0.gguf", { paths: true })).toMatchObject({ kind: "refused" });
    expect(resolveModelName("./\u001b[2J.gguf", { paths: true })).toMatchObject({ kind: "refused" });
    expect(resolveModelName(`./${"a".repeat(5000)}.gguf`, { paths: true })).toMatchObject({ kind: "refused" });
  });
});

describe("S-33 hostile names are refused, with the reason", () => {
  test.each([
    ["", /it is empty/],
    [" owner/repo", /begins or ends with a space/],
    ["owner/repo\0", /a zero byte/],
    ["owner/re\u001b[2Jpo", /a control character \(U\+001B\)/],
    ["owner/repo\r\nx", /a control character/],
    ["a".repeat(4096), /longer than 512 bytes/],
    [`owner/${"r".repeat(97)}`, /longer than 96/],
    ["../x", /leads out of its folder/],
    ["owner/..", /leads out of its folder/],
    ["owner/repo/../x.gguf", /leads out of its folder/],
    ["owner/repo/a/../../x.gguf", /leads out of its folder/],
    ["owner/repo/./x.gguf", /leads out of its folder/],
    ["owner/repo@..", /leads out of its folder/],
    ["owner/repo@../x", /leads out of its folder/],
    ["owner/repo@a..b", /its revision is no commit/],
    ["owner/re..po", /holds "\.\." or "--"/],
    ["owner/.git", /begins or ends with one of these/],
    ["%2e%2e/x", /a percent sign/],
    ["owner/repo/%2e%2e%2fx.gguf", /a percent sign/],
    ["owner\\repo", /a backslash/],
    ["owner/repo/..\\x.gguf", /a backslash/],
    ["owner/repo/x.gguf:stream", /holds U\+003A/],
    ["owner/repo/a:b/x.gguf", /holds U\+003A/],
    ["owner/repo:../x", /leads out of its folder/],
    ["owner/repo:Q4/../x", /leads out of its folder/],
    ["owner/repo:a/b", /not like Q4_K_M/],
    ["/etc/passwd", /an absolute path/],
    ["//host/share", /an absolute path/],
    ["C:/x/y.gguf", /an absolute path/],
    ["owner∕repo", /holds U\+2215/],
    ["owner／repo", /holds U\+FF0F/],
    ["owner⁄repo", /holds U\+2044/],
    ["owner/repo/．．/x.gguf", /holds U\+FF0E/],
    ["owner/repo/‥/x.gguf", /holds U\+2025/],
    ["οwner/repo", /holds U\+03BF/],
    ["owner/re\u202epo", /holds U\+202E/],
    ["owner/re\u200bpo", /holds U\+200B/],
    ["owner/repo/.hidden.gguf", /begins with a dot/],
    ["owner/repo/x.gguf.", /ends with a dot/],
    ["owner/repo/NUL.gguf", /name of a device/],
    ["owner/repo/com1/x.gguf", /name of a device/],
    ["owner/repo//x.gguf", /a part of its path is empty/],
    ["owner/repo/", /a part of its path is empty/],
    ["owner/repo/x.exe", /no \.gguf file/],
    ["owner/repo/x?y.gguf", /holds U\+003F/],
    ["owner/repo/x*.gguf", /holds U\+002A/],
    ["owner/repo/x|y.gguf", /holds U\+007C/],
    ["owner/repo/$HOME.gguf", /holds U\+0024/],
    ["https://example.org/owner/repo", /it is an address/],
    ["file:///etc/passwd", /it is an address/],
    [`owner/repo/${"x".repeat(256)}.gguf`, /longer than 255 bytes/],
  ])("%j", (text, reason) => {
    const verdict = resolveModelName(text);
    expect(verdict).toMatchObject({ kind: "refused", reason: expect.stringMatching(reason) });
  });

  test("five hundred more: none throws, and what passes is plain ASCII and stays inside", () => {
    let refused = 0;
    for (const one of [...naughtyStrings, ...halfPairs]) {
      for (const text of [one, `owner/${one}`, `owner/repo/${one}.gguf`, `owner/repo:${one}`, `owner/repo@${one}`]) {
        const verdict = resolveModelName(text);
        if (verdict.kind === "refused" || verdict.kind === "unknown") {
          expect(verdict.reason).toMatch(/^[\x20-\x7e]{5,200}$/);
          refused += 1;
        } else if (verdict.kind === "hub") {
          expect(verdict.repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
          if (verdict.wanted.kind === "file") expect(verdict.wanted.path).not.toMatch(/\.\.(\/|$)|[\\:%\0]|^\//);
        }
      }
    }
    expect(refused).toBeGreaterThan(2000);
  });

  test("the rule for one name in a folder holds for file names of caches and repositories too", () => {
    const passed = naughtyStrings.filter((one) => segmentProblem(one) === null);
    expect(passed.filter((one) => !/^[\x20-\x7e]+$/.test(one) || /[/\\:%<>"|?*]/.test(one))).toEqual([]);
    expect(pathProblem("a/b.gguf")).toBeNull();
  });
});

/** The pure decisions of the room: which route, whose name, which bytes are JSON. */
import { describe, expect, test } from "vitest";
import { requireJson } from "../../../server/http/body.ts";
import { parseJson } from "../../../server/http/json-bytes.ts";
import { createMatcher } from "../../../server/http/match.ts";
import { createOwnNames, hostName, isOwnHost, isOwnOrigin } from "../../../server/http/own-names.ts";
import { machineNames } from "../../../server/platform/machine-names.ts";
import type { Method, Route } from "../../../server/http/route.ts";
import { dialects } from "../../../server/dialects/index.ts";
import { manualClock } from "../../support/manual-clock.ts";

describe("which route", () => {
  const route = (method: Method, path: string): Route => ({
    method,
    path,
    access: "open",
    dialect: dialects["openai-chat"],
    handle: () => {},
  });
  const match = createMatcher([
    route("GET", "/keys"),
    route("POST", "/keys"),
    route("POST", "/keys/reset"),
    route("DELETE", "/keys/:id"),
    route("GET", "/models/*id"),
  ]);
  const parametersOf = (method: string, path: string) => {
    const found = match(method, path);
    return found.kind === "route" ? found.parameters : found.kind;
  };

  test("the exact one, the one with a value, the rest of a path", () => {
    expect(parametersOf("GET", "/keys")).toEqual({});
    expect(parametersOf("HEAD", "/keys")).toEqual({});
    expect(parametersOf("DELETE", "/keys/7")).toEqual({ id: "7" });
    expect(parametersOf("GET", "/models/a/b%2Fc:d")).toEqual({ id: "a/b/c:d" });
  });

  test("none for another spelling, another length, nothing where a value belongs", () => {
    for (const path of ["/keys/", "//keys", "/KEYS", "/keys/7/8", "/models/", "/models", "/models/%zz", "*", ""]) {
      expect(match("GET", path).kind, path).toBe("nothing");
    }
  });

  test("another method is told what there is", () => {
    expect(match("PUT", "/keys")).toMatchObject({ kind: "other-method", allow: "GET, HEAD, POST, OPTIONS" });
    expect(match("DELETE", "/keys/reset")).toMatchObject({ kind: "other-method", allow: "POST, OPTIONS" });
  });

  test("two routes for one place are a mistake that is found at once", () => {
    expect(() => createMatcher([route("GET", "/a"), route("GET", "/a")])).toThrow(/Two routes/);
  });
});

describe("whose name", () => {
  test.each([
    ["localhost:4747", "localhost"],
    ["LocalHost.", "localhost"],
    ["[FE80::1]:80", "fe80::1"],
    ["box.local", "box.local"],
    ["user@localhost", null],
    ["localhost/x", null],
    ["localhost:99999999", null],
    ["", null],
  ])("%s is %s", (host, name) => {
    expect(hostName(host)).toBe(name);
  });

  const names = new Set(["192.168.1.5", "box.local"]);
  test.each([
    ["127.0.0.1:1", true],
    ["127.9.8.7", true],
    ["[::1]:4747", true],
    ["192.168.1.5:4747", true],
    ["box.local", true],
    ["192.168.1.6", false],
    ["127.0.0.1.evil.example", false],
    [undefined, false],
  ])("Host %s is ours: %s", (host, own) => {
    expect(isOwnHost(host, names)).toBe(own);
  });

  test.each([
    [undefined, "box.local", true],
    ["http://box.local:4747", "box.local:4747", true],
    ["https://box.local", "box.local", true],
    ["http://box.local:3000", "box.local:4747", false],
    ["http://evil.example", "evil.example", false],
    ["https://proxy.example", "127.0.0.1:4747", true],
    ["https://proxy.example:444", "127.0.0.1:4747", true],
    ["http://dev.example:5173", "127.0.0.1:4747", true],
    ["http://dev.example:5174", "127.0.0.1:4747", false],
    ["null", "box.local", false],
    ["", "box.local", false],
    ["chrome-extension://abc", "box.local", false],
  ])("Origin %s at %s is ours: %s", (origin, host, own) => {
    expect(isOwnOrigin(origin, host, names, ["proxy.example", "dev.example:5173"])).toBe(own);
  });

  test("an address that the machine got later is found, and looking costs little", () => {
    const clock = manualClock();
    let looks = 0;
    let addresses = ["192.168.1.5"];
    const read = () => {
      looks += 1;
      return addresses;
    };
    const own = createOwnNames({ configured: [], clock, read });
    addresses = ["10.0.0.7"];
    expect(own.ownHost("10.0.0.7:4747")).toBe(false);
    clock.advance(5_000);
    expect(own.ownHost("10.0.0.7:4747")).toBe(true);
    for (let time = 0; time < 100; time += 1) own.ownHost("evil.example");
    expect(looks).toBe(2);
  });

  test("this machine has names and addresses", () => {
    expect(machineNames()).toContain("127.0.0.1");
  });
});

describe("which bytes are JSON", () => {
  const parse = (text: string) => parseJson(Buffer.from(text));

  test("text as it was written, whatever is in it", () => {
    expect(parse('{"a":"\\ud83d\\ude00 \\"[[[\\\\"}')).toEqual({ a: '😀 "[[[\\' });
  });

  test.each(["", "{", "{'a':1}", "[1,]", "nul", '"\\x"', "\ufeff{}", "1 2"])("%j is not", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  test("the message never quotes the body", () => {
    expect(() => parse('{"key": secret}')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("secret") }),
    );
  });

  test("broken UTF-8 is not", () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/UTF-8/);
  });

  test("nesting has a bound, brackets in strings do not count", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(() => parse(nested(256))).not.toThrow();
    expect(() => parse(nested(257))).toThrow(/nests deeper/);
    expect(() => parse("[".repeat(5_000_000))).toThrow(/nests deeper/);
    expect(parse(JSON.stringify(nested(300)))).toBe(nested(300));
  });

  test("values have a bound, whatever their form", () => {
    for (const [piece, count] of [
      ["1", 600_000],
      ["{}", 300_000],
      ["[1]", 300_000],
    ] as const) {
      expect(() => parse(`[${Array(count).fill(piece).join(",")}]`)).toThrow(/more than 500000 values/);
    }
    expect(parse(JSON.stringify([",".repeat(600_000)]))).toHaveLength(1);
    expect(parse(`[${"7,".repeat(400_000)}7]`)).toHaveLength(400_001);
  });

  test.each([
    [{ "content-type": "application/json" }, true],
    [{ "content-type": "Application/JSON; charset=UTF-8" }, true],
    [{ "content-type": "application/vnd.api+json" }, true],
    [{ "content-type": 'application/json;charset="utf8"', "content-encoding": "identity" }, true],
    [{}, true],
    [{ "content-length": "0" }, true],
    [{ "content-length": "5" }, false],
    [{ "transfer-encoding": "chunked" }, false],
    [{ "content-type": "text/plain" }, false],
    [{ "content-type": "application/jsonx" }, false],
    [{ "content-type": "application/json; charset=utf-16" }, false],
    [{ "content-type": "application/json", "content-encoding": "GZIP" }, true],
    [{ "content-type": "application/json", "content-encoding": "zstd" }, true],
    [{ "content-type": "application/json", "content-encoding": "compress" }, false],
    [{ "content-type": "application/json", "content-encoding": "gzip, br" }, false],
  ])("headers %j promise JSON: %s", (headers, fine) => {
    if (fine) expect(() => requireJson(headers)).not.toThrow();
    else expect(() => requireJson(headers)).toThrow(expect.objectContaining({ code: "unsupported_media_type" }));
  });
});

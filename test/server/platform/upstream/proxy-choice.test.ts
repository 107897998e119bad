/** Which proxy a call goes through. */
import { describe, expect, test } from "vitest";
import { proxyFor, readProxySettings } from "../../../../server/platform/upstream/proxy-choice.ts";

const proxied = { HTTP_PROXY: "http://proxy.example:3128", HTTPS_PROXY: "http://secure.example:3129" };
const choose = (url: string, environment: Record<string, string>) =>
  proxyFor(new URL(url), readProxySettings(environment));

describe("the proxy", () => {
  test("follows from the scheme; small letters go before capitals, and a scheme may be left out", () => {
    expect(choose("http://a.example/", proxied)).toBe("http://proxy.example:3128/");
    expect(choose("https://a.example/", proxied)).toBe("http://secure.example:3129/");
    expect(choose("https://a.example/", { HTTP_PROXY: "http://proxy.example" })).toBeNull();
    expect(choose("https://a.example/", { ...proxied, https_proxy: "other.example:1" })).toBe(
      "http://other.example:1/",
    );
    expect(choose("https://a.example/", { HTTPS_PROXY: " " })).toBeNull();
  });

  test("must be an address of a kind we speak; a password in it is not repeated", () => {
    for (const HTTPS_PROXY of ["socks5://user:secret@proxy.example", "http://", "ftp://user:secret@proxy.example"]) {
      const failure = (() => {
        try {
          readProxySettings({ HTTPS_PROXY });
          return null;
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(failure).toMatchObject({ code: "cannot_start", message: expect.stringContaining("HTTPS_PROXY") });
      expect(JSON.stringify(failure)).not.toContain("secret");
    }
  });

  test.each([
    "http://localhost/",
    "http://box.localhost:4747/",
    "http://127.0.0.1/",
    "http://127.9.9.9/",
    "http://127.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
  ])("is never asked for this machine: %s", (url) => expect(choose(url, proxied)).toBeNull());
});

describe("NO_PROXY", () => {
  test.each([
    ["*", "http://a.example/", true],
    ["a.example", "http://a.example/", true],
    ["a.example", "http://A.example./", true],
    ["a.example", "http://b.a.example/", true],
    ["a.example", "http://aa.example/", false],
    [".a.example", "http://a.example/", true],
    ["*.a.example", "http://b.a.example/", true],
    ["*.a.example", "http://a.example/", false],
    ["a.example:8080", "http://a.example:8080/", true],
    ["a.example:8080", "http://a.example/", false],
    ["a.example:80", "http://a.example/", true],
    ["a.example:443", "https://a.example/", true],
    ["10.0.0.0/8", "http://10.200.3.4:4747/", true],
    ["10.0.0.0/8", "http://11.0.0.1/", false],
    ["10.0.0.0/33", "http://10.0.0.1/", false],
    ["192.168.1.20", "http://192.168.1.20/", true],
    ["192.168.1.20", "http://192.168.1.2/", false],
    ["fd00::/8", "http://[fd00::2]/", true],
    ["[fd00::2]:4747", "http://[fd00::2]:4747/", true],
    ["[fd00::2]:4747", "http://[fd00::2]/", false],
    ["fd00:0:0:0:0:0:0:2", "http://[fd00::2]/", true],
    ["x.example, ,y.example a.example", "http://a.example/", true],
    ["example", "http://10.0.0.1/", false],
    [".", "http://a.example/", false],
    ["", "http://a.example/", false],
  ])("%j and %s: excepted is %s", (NO_PROXY, url, excepted) => {
    expect(choose(url, { ...proxied, NO_PROXY }) === null).toBe(excepted);
  });
});

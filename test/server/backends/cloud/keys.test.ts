/** Which key is next, how long one rests, where keys are found, and how they are kept. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createProviderKeyring } from "../../../../server/access/provider-keyring.ts";
import { configureProvider } from "../../../../server/backends/cloud/configure.ts";
import { findKeys } from "../../../../server/backends/cloud/keys/find-keys.ts";
import { chooseKey, type KeyFacts, restMs } from "../../../../server/backends/cloud/keys/key-choice.ts";
import { createKeyPool } from "../../../../server/backends/cloud/keys/key-pool.ts";
import { readLimits } from "../../../../server/backends/cloud/limits.ts";
import { findProvider, providers } from "../../../../server/backends/cloud/providers/index.ts";
import { providerSetting } from "../../../../server/config/provider-setting.ts";
import { calledDialects } from "../../../../server/dialects/index.ts";
import { Failure } from "../../../../server/domain/failure.ts";
import { openLedger } from "../../../../server/ledger/ledger.ts";
import { openMasterKey } from "../../../../server/platform/master-key.ts";
import { manualClock } from "../../../support/manual-clock.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const key = (id: string, wishes: Partial<KeyFacts> = {}): KeyFacts => ({
  id,
  weight: 1,
  coolsUntilMs: null,
  cooledAtMs: null,
  strikes: 0,
  ...wishes,
});

describe("the choice", () => {
  test("goes by weight among those that never failed", () => {
    const keys = [key("a", { weight: 3 }), key("b")];
    const chosen = [0, 0.25, 0.5, 0.74, 0.75, 0.99].map((random) => chooseKey(keys, 0, random)?.id);
    expect(chosen).toEqual(["a", "a", "a", "a", "b", "b"]);
  });

  test("leaves out those that cool, and prefers the one that cooled least recently", () => {
    const keys = [
      key("cools", { coolsUntilMs: 2_000, cooledAtMs: 0 }),
      key("just back", { coolsUntilMs: 900, cooledAtMs: 500 }),
      key("back before", { coolsUntilMs: 800, cooledAtMs: 100 }),
    ];
    expect(chooseKey(keys, 1_000, 0.99)?.id).toBe("back before");
    expect(chooseKey([keys[0] as KeyFacts], 1_000, 0)).toBeNull();
    // A minute later nothing is held against anybody.
    expect(chooseKey(keys, 100_000, 0)?.id).toBe("cools");
  });
});

describe("the rest", () => {
  const restAfter = (code: ConstructorParameters<typeof Failure>[0], coolDownMs: number | null = null, strikes = 0) =>
    restMs(new Failure(code, "no", { coolDownMs }), strikes);

  test("is as long as asked for up to a cap, doubles unasked, and is long where only a person helps", () => {
    expect(restAfter("upstream_rate_limited", 20_000)).toBe(20_000);
    expect(restAfter("upstream_rate_limited", 86_400_000)).toBe(600_000);
    expect([0, 1, 2, 30].map((strikes) => restAfter("upstream_rate_limited", null, strikes))).toEqual([
      1_000, 2_000, 4_000, 60_000,
    ]);
    expect(restAfter("upstream_key_refused")).toBe(3_600_000);
    expect(restAfter("upstream_quota")).toBe(6 * 3_600_000);
  });

  test("is nothing where the failure is not about the key", () => {
    for (const code of [
      "upstream_failed",
      "upstream_overloaded",
      "upstream_cut",
      "upstream_invalid_request",
    ] as const) {
      expect(restAfter(code)).toBeNull();
    }
  });
});

test("a pool parks a key and takes it up again, and a changed key begins anew", () => {
  const clock = manualClock();
  const pool = createKeyPool({ clock, random: () => 0 });
  const found = (secret: string) => ({ source: "file", secret, weight: 1, label: null });
  pool.replace([found("sk-aaaaaaaaaaaa"), found("sk-bbbbbbbbbbbb")]);
  const first = pool.take();
  pool.failed(first?.id ?? "", new Failure("upstream_rate_limited", "slow down", { coolDownMs: 5_000 }));
  expect(pool.take()?.secret).toBe("sk-bbbbbbbbbbbb");
  pool.failed(pool.take()?.id ?? "", new Failure("upstream_quota", "nothing left"));
  expect(pool.take()).toBeNull();
  expect(pool.blocked()).toMatchObject({ retryAtMs: 5_000, failure: { code: "upstream_rate_limited" } });
  clock.advance(5_000);
  expect(pool.take()?.secret).toBe("sk-aaaaaaaaaaaa");
  pool.replace([found("sk-aaaaaaaaaaaa"), found("sk-cccccccccccc")]);
  expect(pool.view()).toMatchObject([{ tail: "…aaaa" }, { tail: "…cccc", state: "ready" }]);
});

describe("S-25 after its rest", () => {
  const limited = new Failure("upstream_rate_limited", "slow down", { coolDownMs: 5_000 });
  function rested() {
    const clock = manualClock();
    const pool = createKeyPool({ clock, random: () => 0 });
    pool.replace([{ source: "file", secret: "sk-aaaaaaaaaaaa", weight: 1, label: null }]);
    const id = pool.take()?.id ?? "";
    pool.failed(id, limited);
    clock.advance(5_000);
    return { clock, pool, id };
  }

  test("one call tries a key; the others have it again once the provider took it", () => {
    const { clock, pool, id } = rested();
    expect(pool.take()?.id).toBe(id);
    expect(pool.take()).toBeNull();
    expect(pool.blocked()).toMatchObject({ retryAtMs: clock.monotonicMs() + 1_000 });
    pool.passed(id);
    expect(pool.blocked()).toBeNull();
    expect([pool.take()?.id, pool.take()?.id]).toEqual([id, id]);
  });

  test("a try that fails is a longer rest, one that is left is another's, and one that is forgotten lapses", () => {
    const { clock, pool, id } = rested();
    pool.take();
    pool.left(id);
    expect(pool.take()?.id).toBe(id);
    expect(pool.take()).toBeNull();
    clock.advance(60_000);
    expect(pool.take()?.id).toBe(id);
    pool.failed(id, new Failure("upstream_rate_limited", "slow down"));
    clock.advance(1_999);
    expect(pool.take()).toBeNull();
    clock.advance(1);
    expect(pool.take()?.id).toBe(id);
  });

  test("whoever only looks takes nobody's try away", () => {
    const { pool, id } = rested();
    expect([pool.look()?.id, pool.take()?.id, pool.look()]).toEqual([id, id, null]);
  });
});

describe("where keys are found", () => {
  const openai = configureProvider("openai", providerSetting.parse({}));
  const moved = configureProvider("openai", providerSetting.parse({ baseUrl: "http://10.0.0.9/v1" }));
  const sources = { environment: {}, keyFile: "", home: "/", stored: () => [] };

  test("the vendor's own variable is for the vendor's address only; ours is for wherever it leads", () => {
    const environment = { OPENAI_API_KEY: "sk-vendor", LANTHORN_PROVIDER_OPENAI_KEY: "sk-ours, sk-second" };
    const secrets = (settings: typeof openai) =>
      findKeys(settings, { ...sources, environment }).map(({ secret }) => secret);
    expect(secrets(openai)).toEqual(["sk-ours", "sk-second", "sk-vendor"]);
    expect(secrets(moved)).toEqual(["sk-ours", "sk-second"]);
  });

  test("a file is read where only its owner may, and refused by name otherwise", () => {
    const home = temporaryFolder();
    const file = join(home, "openai.key");
    writeFileSync(file, "# work\nsk-in-a-file\n\nsk-another\n", { mode: 0o600 });
    const from = () => findKeys(openai, { ...sources, home, keyFile: "openai.key" });
    expect(from().map(({ secret }) => secret)).toEqual(["sk-in-a-file", "sk-another"]);
    chmodSync(file, 0o640);
    expect(from).toThrow(expect.objectContaining({ code: "cannot_start", param: "providers.openai.keyFile" }));
  });
});

test("stored keys are sealed for one host, under a master key for its owner only", async () => {
  const home = temporaryFolder();
  const file = join(home, "master.key");
  const clock = manualClock();
  const ledger = openLedger(join(home, "ledger.db"), { clock, log: recordedLog() });
  try {
    const keyring = () =>
      createProviderKeyring({
        store: ledger.providerKeys,
        clock,
        masterKey: () => openMasterKey({ environment: {}, file }),
      });
    expect(keyring().list()).toEqual([]);
    expect(existsSync(file)).toBe(false);
    const secret = "sk-a-very-secret-key-1234";
    const added = { provider: "openai", host: "api.openai.com", secret, label: null, weight: 2 };
    expect(keyring().add(added)).toMatchObject({ id: 1, tail: "1234", weight: 2 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keyring().open("openai", "api.openai.com")).toMatchObject([{ secret }]);
    expect(keyring().open("openai", "evil.example")).toEqual([]);
    // A row that somebody moves to another host does not open.
    const [row] = ledger.providerKeys.all();
    ledger.providerKeys.add({ ...(row as NonNullable<typeof row>), host: "evil.example" });
    expect(keyring().open("openai", "evil.example")).toMatchObject([{ secret: null }]);
    expect(
      JSON.stringify(ledger.providerKeys.all().map(({ sealed }) => Buffer.from(sealed).toString("latin1"))),
    ).not.toContain(secret);
    // One for bills is for no call, wherever somebody moves it to.
    keyring().add({ ...added, purpose: "bills", secret: "sk-only-for-bills-99" });
    expect(
      keyring()
        .open("openai", "api.openai.com")
        .map((key) => key.secret),
    ).toEqual([secret]);
    expect(keyring().open("openai", "api.openai.com", "bills")).toMatchObject([{ secret: "sk-only-for-bills-99" }]);
    const bills = ledger.providerKeys.all().find(({ purpose }) => purpose === "bills");
    ledger.providerKeys.add({ ...(bills as NonNullable<typeof bills>), host: "two.example", purpose: "calls" });
    expect(keyring().open("openai", "two.example")).toMatchObject([{ secret: null }]);
    writeFileSync(file, `${Buffer.alloc(32, 7).toString("base64")}\n`);
    expect(keyring().open("openai", "api.openai.com")).toMatchObject([{ secret: null }]);
    expect(() => keyring().add({ ...added, secret: "two words" })).toThrow(expect.objectContaining({ param: "key" }));
  } finally {
    await ledger.close();
  }
  chmodSync(file, 0o644);
  expect(() => openMasterKey({ environment: { LANTHORN_MASTER_KEY_FILE: file }, file: "" })).toThrow(
    expect.objectContaining({ code: "cannot_start", why: expect.stringContaining("Others may read it") }),
  );
  expect(readFileSync(file, "utf8")).not.toBe("");
});

test("what is left is read from counts with durations, seconds or dates, and from nothing odd", () => {
  const groq = providers.groq;
  const at = (reset: string) =>
    readLimits(groq, { "x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": reset }, 1_000)?.tokens
      ?.resetAtMs;
  expect([at("6m0s"), at("120ms"), at("1.5s"), at("2"), at("1970-01-01T00:01:00Z"), at("soon"), at("9999d")]).toEqual([
    361_000,
    1_120,
    2_500,
    3_000,
    60_000,
    null,
    null,
  ]);
  expect(readLimits(groq, { "x-ratelimit-remaining-tokens": "-1" }, 0)).toBeNull();
  expect(readLimits(providers.custom, {}, 0)).toBeNull();
});

describe("providers", () => {
  test.each(Object.entries(providers))("%s is data that can be used", (id, provider) => {
    expect(provider.id).toBe(id);
    expect(findProvider(id)).toBe(provider);
    expect(Object.keys(calledDialects)).toContain(provider.dialect);
    if (provider.baseUrl !== null) {
      const url = new URL(provider.baseUrl);
      expect(provider.baseUrl.endsWith("/")).toBe(false);
      expect(url.protocol).toBe(provider.kind === "cloud" ? "https:" : "http:");
    }
    expect(provider.dataPolicy === "local").toBe(provider.kind === "peer");
    for (const name of Object.keys(provider.headers)) expect(name).toBe(name.toLowerCase());
    if (provider.refused === undefined)
      expect(configureProvider("x", providerSetting.parse({ type: id, baseUrl: "http://box/v1/" })).baseUrl).toBe(
        "http://box/v1",
      );
    else
      expect(() => configureProvider("x", providerSetting.parse({ type: id }))).toThrow(
        expect.objectContaining({ why: provider.refused }),
      );
  });

  test("a type that is none is answered with what was meant; keys in settings are refused", () => {
    expect(() => configureProvider("opnai", providerSetting.parse({}))).toThrow(
      expect.objectContaining({ why: expect.stringContaining('"openai"') }),
    );
    for (const wrong of [
      { headers: { Authorization: "Bearer x" } },
      { headers: { "x-goog-api-key": "x" } },
      { baseUrl: "https://me:secret@host/v1" },
      { baseUrl: "https://host/v1?key=secret" },
      { baseUrl: "file:///etc/passwd" },
    ]) {
      expect(providerSetting.safeParse(wrong).success).toBe(false);
    }
  });
});

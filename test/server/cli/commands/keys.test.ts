/** `lanthorn keys`: at a running server, and on the data folder while none runs. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashKey } from "../../../../server/ledger/keys.ts";
import { openLedger } from "../../../../server/ledger/ledger.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { takeDataLock } from "../../../../server/platform/data-lock.ts";
import { createLog } from "../../../../server/platform/log.ts";
import { createDataFolder, dataPaths } from "../../../../server/platform/paths.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { sendJson, someKeys, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

const note = "This is the only time it is shown.";

/** What the ledger of a data folder knows of its keys. */
async function keysIn(home: string) {
  const log = createLog({ level: "silent" });
  const ledger = openLedger(dataPaths({ LANTHORN_HOME: home }).ledger, { clock: systemClock, log });
  try {
    return ledger.keys.loadAll();
  } finally {
    await ledger.close();
  }
}

describe("with no server running", () => {
  test("create prints the secret alone on stdout, and stores its hash only", async () => {
    const home = temporaryFolder();
    const { code, stdout, stderr } = await lanthorn(["keys", "create", "jonas", "--label", "opencode laptop"], {
      environment: { LANTHORN_HOME: home },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lth_[0-9A-Za-z]{43}\n$/u);
    expect(stderr).toContain(note);
    expect(stderr).not.toContain(stdout.trim());
    const [key] = await keysIn(home);
    expect(key).toMatchObject({
      kind: "inference",
      name: "jonas",
      label: "opencode laptop",
      tail: stdout.trim().slice(-4),
    });
    expect(Buffer.from(key?.hash ?? [])).toEqual(Buffer.from(hashKey(stdout.trim())));
    for (const file of ["ledger.db", "data.lock"]) {
      expect(readFileSync(join(home, file)).includes(stdout.trim())).toBe(false);
    }
  });

  test("--expires: the key ends by itself, is listed with its end, and a time that is none is exit 2", async () => {
    const environment = { LANTHORN_HOME: temporaryFolder() };
    const beforeMs = Date.now();
    const made = await lanthorn(["keys", "create", "ci-bot", "--expires", "30d", "--json"], { environment });
    const { key } = JSON.parse(made.stdout);
    expect(key.expiresAtMs - beforeMs).toBeGreaterThanOrEqual(30 * 86_400_000);
    expect(key.expiresAtMs - Date.now()).toBeLessThanOrEqual(30 * 86_400_000);
    expect((await lanthorn(["keys", "list"], { environment })).stdout).toMatch(/EXPIRES +STATE\n.*\d{4} +valid/u);
    const wrong = await lanthorn(["keys", "create", "ci-bot", "--expires", "soon"], { environment });
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("30d");
    const past = await lanthorn(["keys", "create", "ci-bot", "--expires", "2020-01-01"], { environment });
    expect(past).toMatchObject({ code: 2, stdout: "" });
    expect(past.stderr).toContain("in the future");
  });

  test("list, revoke by tail, list again", async () => {
    const environment = { LANTHORN_HOME: temporaryFolder() };
    const { secret, key } = JSON.parse((await lanthorn(["keys", "create", "jonas", "--json"], { environment })).stdout);
    expect(key).toMatchObject({ name: "jonas", revokedAtMs: null });
    const listed = await lanthorn(["keys", "list"], { environment });
    expect(listed.stdout).toContain(`lth_…${key.tail}`);
    expect(listed.stdout).not.toContain(secret);

    const revoked = await lanthorn(["keys", "revoke", key.tail, "--yes"], { environment });
    expect(revoked).toMatchObject({ code: 0, stdout: `Revoked lth_…${key.tail} of jonas.\n` });
    expect(JSON.parse((await lanthorn(["keys", "list", "--json"], { environment })).stdout)).toEqual([]);
    const all = JSON.parse((await lanthorn(["keys", "list", "--all", "--json"], { environment })).stdout);
    expect(all).toEqual([{ ...key, revokedAtMs: expect.any(Number) }]);

    const again = await lanthorn(["keys", "revoke", key.tail], { environment });
    expect(again.code).toBe(0);
  });

  test("reset-admin ends the old admin key and leaves the new one where commands read it", async () => {
    const home = temporaryFolder();
    const environment = { LANTHORN_HOME: home };
    const first = (await lanthorn(["keys", "reset-admin"], { environment })).stdout.trim();
    const second = (await lanthorn(["keys", "reset-admin"], { environment })).stdout.trim();
    expect(second).not.toBe(first);
    expect(readFileSync(join(home, "admin.key"), "utf8").trim()).toBe(second);
    if (process.platform !== "win32") expect(statSync(join(home, "admin.key")).mode & 0o777).toBe(0o600);
    const living = (await keysIn(home)).filter((key) => key.revokedAtMs === null);
    expect(living.map((key) => key.tail)).toEqual([second.slice(-4)]);
  });

  test("a name the ledger cannot take is wrong usage", async () => {
    const environment = { LANTHORN_HOME: temporaryFolder() };
    const { code, stdout } = await lanthorn(["keys", "create", "x".repeat(101)], { environment });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  test("a data folder that somebody else holds is exit 6", async () => {
    const home = temporaryFolder();
    const paths = dataPaths({ LANTHORN_HOME: home });
    createDataFolder(paths);
    const outcome = takeDataLock(paths);
    const { code, stderr } = await lanthorn(["keys", "list"], { environment: { LANTHORN_HOME: home } });
    if (outcome.taken) outcome.lock.release();
    expect(code).toBe(6);
    expect(stderr).toContain("The data folder is in use");
  });
});

describe("at a running server", () => {
  const secret = "lth_0123456789012345678901234567890123456789abc";

  test("create sends name and label, and prints what comes back", async () => {
    const stub = await startAdminStub({ "POST /admin/keys": { secret, key: someKeys[1] ?? {} } });
    const environment = {
      LANTHORN_HOME: temporaryFolder(),
      LANTHORN_URL: `${stub.url}/v1`,
      LANTHORN_API_KEY: "lth_admin",
    };
    const outcome = await lanthorn(["keys", "create", "jonas"], { environment });
    expect(outcome).toMatchObject({ code: 0, stdout: `${secret}\n` });
    expect(stub.asked).toEqual([
      {
        method: "POST",
        url: "/admin/keys",
        authorization: "Bearer lth_admin",
        body: { name: "jonas", label: null, expiresAtMs: null, isolate: false },
      },
    ]);
  });

  test("create --routes sends what the key may ask for, and list shows it", async () => {
    const key = { ...someKeys[1], routes: ["coder", "draft"] };
    const stub = await startAdminStub({ "POST /admin/keys": { secret, key }, "GET /admin/keys": { keys: [key] } });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    await lanthorn(["keys", "create", "jonas", "--routes", "coder, draft"], { environment });
    expect(stub.asked[0]?.body).toMatchObject({ routes: ["coder", "draft"] });
    expect((await lanthorn(["keys", "list"], { environment })).stdout).toMatch(/STATE\s+ROUTES\n.*coder, draft\n/u);
    expect((await lanthorn(["keys", "create", "jonas", "--routes", " , "], { environment })).code).toBe(2);
  });

  test("list shows living keys, --all the others too", async () => {
    const stub = await startAdminStub({ "GET /admin/keys": { keys: someKeys } });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    expect((await lanthorn(["keys", "list", "--all"], { environment })).stdout).toBe(
      [
        "ID  NAME    LABEL            KEY        KIND       MADE        LAST USED  EXPIRES      STATE",
        " 1  admin   –                lth_…aaaa  admin      1 Nov 2026  never      never        valid",
        " 2  jonas   opencode laptop  lth_…9f3c  inference  2 Nov 2026  never      never        valid",
        " 3  ci-bot  –                lth_…07ae  inference  3 Nov 2026  never      12 Jan 2099  revoked 18 Nov 2026",
        "",
      ].join("\n"),
    );
    const living = JSON.parse((await lanthorn(["keys", "list", "--json"], { environment })).stdout);
    expect(living.map((key: { id: number }) => key.id)).toEqual([1, 2]);
  });

  test("revoke without --yes and without a terminal changes nothing and exits 2", async () => {
    const stub = await startAdminStub({ "GET /admin/keys": { keys: someKeys } });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { code, stderr } = await lanthorn(["keys", "revoke", "9f3c"], { environment });
    expect(code).toBe(2);
    expect(stderr).toContain("next   lanthorn keys revoke 2 --yes");
    expect(stub.asked.map((asked) => asked.method)).toEqual(["GET"]);
  });

  test("revoke --yes ends the one that is meant", async () => {
    const stub = await startAdminStub({
      "GET /admin/keys": { keys: someKeys },
      "DELETE /admin/keys/2": { key: { ...someKeys[1], revokedAtMs: 1 } },
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const outcome = await lanthorn(["keys", "revoke", "jonas", "--yes"], { environment });
    expect(outcome).toEqual({ code: 0, stdout: "Revoked lth_…9f3c of jonas.\n", stderr: "" });
  });

  test("limit says what one key may do; what is not named is as for every key", async () => {
    const limits = { requestsPerMinute: 60, tokensPerMinute: null, concurrent: 0, priority: -5 };
    const stub = await startAdminStub({
      "GET /admin/keys": { keys: someKeys },
      "POST /admin/keys/2/limits": { key: { ...someKeys[1], limits } },
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const flags = ["--rpm", "60", "--concurrent", "0", "--priority", "-5"];
    const outcome = await lanthorn(["keys", "limit", "jonas", ...flags], { environment });
    expect(outcome).toMatchObject({
      code: 0,
      stdout: "lth_…9f3c of jonas: 60 requests/min, any number at once, priority -5.\n",
    });
    expect(stub.asked.at(-1)?.body).toEqual(limits);
    expect(await lanthorn(["keys", "limit", "jonas", "--rpm", "many"], { environment })).toMatchObject({ code: 2 });
  });

  test("the admin key is not revoked but replaced; an unknown key is exit 5", async () => {
    const stub = await startAdminStub({ "GET /admin/keys": { keys: someKeys } });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    expect(await lanthorn(["keys", "revoke", "aaaa", "--yes"], { environment })).toMatchObject({ code: 2 });
    expect(await lanthorn(["keys", "revoke", "lin", "--yes"], { environment })).toMatchObject({ code: 5 });
    expect(stub.asked.map((asked) => asked.method)).toEqual(["GET", "GET"]);
  });

  test("the data folder's admin key goes to a server on this box, and LANTHORN_API_KEY goes before it", async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, "admin.key"), "lth_own\n", { mode: 0o600 });
    const stub = await startAdminStub({ "GET /admin/keys": { keys: [] } });
    const environment = { LANTHORN_HOME: home, LANTHORN_URL: stub.url };
    await lanthorn(["keys", "list"], { environment });
    await lanthorn(["keys", "list"], { environment: { ...environment, LANTHORN_API_KEY: "lth_given" } });
    expect(stub.asked.map((asked) => asked.authorization)).toEqual(["Bearer lth_own", "Bearer lth_given"]);
  });

  test("reset-admin of this box's server also renews the data folder's copy", async () => {
    const home = temporaryFolder();
    const stub = await startAdminStub({ "POST /admin/keys/reset-admin": { secret, key: someKeys[0] ?? {} } });
    const file = join(home, "server.json");
    writeFileSync(file, JSON.stringify({ pid: process.pid, url: stub.url, startedAtMs: 1 }), { mode: 0o600 });
    const outcome = await lanthorn(["keys", "reset-admin"], { environment: { LANTHORN_HOME: home } });
    expect(outcome).toMatchObject({ code: 0, stdout: `${secret}\n` });
    expect(readFileSync(join(home, "admin.key"), "utf8").trim()).toBe(secret);
  });

  test("a refused key is exit 4, says which one was sent, and is not shown", async () => {
    const stub = await startAdminStub({
      "GET /admin/keys": (response) =>
        sendJson(response, 401, { error: { message: "Unknown key.", code: "unknown_key", why: null, next: [] } }),
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url, LANTHORN_API_KEY: "lth_secret" };
    const { code, stderr } = await lanthorn(["keys", "list", "--json"], { environment });
    expect(code).toBe(4);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: "unknown_key",
      why: expect.stringContaining("LANTHORN_API_KEY"),
    });
    expect(stderr).not.toContain("lth_secret");
  });
});

test("a server that died and left its file behind is not asked, and its port's new owner sees no key", async () => {
  const home = temporaryFolder();
  const stub = await startAdminStub({ "GET /admin/keys": { keys: someKeys } });
  // No process has this id: Linux gives out 4194304 at most, others far less.
  const file = JSON.stringify({ pid: 2_000_000_000, url: stub.url, startedAtMs: 1 });
  writeFileSync(join(home, "server.json"), file, { mode: 0o600 });
  const { code, stdout } = await lanthorn(["keys", "list", "--json"], { environment: { LANTHORN_HOME: home } });
  expect({ code, keys: JSON.parse(stdout) }).toEqual({ code: 0, keys: [] });
  expect(stub.asked).toEqual([]);
  expect(existsSync(join(home, "ledger.db"))).toBe(true);
});

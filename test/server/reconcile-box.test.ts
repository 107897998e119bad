/**
 * A whole box in front of stand-in vendors that bill what they received: nothing planted and all agrees; a call that the box never saw
 * and an amount that was changed are found by day, model and amount.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reconciliation } from "../../server/domain/reconcile/records.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";
import type { BillSlip } from "../support/vendors/bills.ts";
import { startVendor, type Vendor } from "../support/vendors/vendor.ts";
import { lanthorn } from "./cli/run-command.ts";

const dayMs = 86_400_000;
/** Noon, three days ago: far from any midnight. */
const firstMs = Math.floor(Date.now() / dayMs) * dayMs - 3 * dayMs + dayMs / 2;
const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);
const [first, second] = [dayOf(firstMs), dayOf(firstMs + dayMs)];
let nowMs = firstMs;
const now = () => nowMs;

const slips: BillSlip[] = [];
const vendors = new Map<string, Vendor>();
let box: RealBox;
let admin = "";

const types = {
  openai: { wire: "openai", models: ["gpt-4o-mini", "gpt-4o", "gpt-4.1-nano"] },
  anthropic: { wire: "anthropic", models: ["claude-haiku-4-5"] },
  openrouter: { wire: "openai", models: ["stand-in"] },
  deepinfra: { wire: "openai", models: ["stand-in"] },
} as const;

beforeAll(async () => {
  const providers: Record<string, object> = {};
  for (const [shape, { wire, models }] of Object.entries(types)) {
    const vendor = await startVendor({
      ...{ wire, models, saysCost: models[0] === "stand-in" },
      bills: {
        shape: shape as keyof typeof types,
        key: `bills-of-${shape}`,
        now,
        slips: shape === "anthropic" ? slips : [],
        perPage: 2,
      },
    });
    vendors.set(shape, vendor);
    providers[shape] = { type: shape, baseUrl: vendor.baseUrl, models };
  }
  // A second entry at the same account: its attempts are on the same bill.
  providers.spare = { ...providers.openai, type: "openai" };
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify(providers),
    LANTHORN_PROVIDER_OPENAI_KEY: "sk-calls",
    LANTHORN_PROVIDER_SPARE_KEY: "sk-calls",
    LANTHORN_PROVIDER_ANTHROPIC_KEY: "sk-calls",
    LANTHORN_PROVIDER_OPENROUTER_KEY: "sk-calls",
    LANTHORN_PROVIDER_DEEPINFRA_KEY: "bills-of-deepinfra",
    LANTHORN_PROVIDER_OPENAI_BILLS_KEY: "bills-of-openai",
    LANTHORN_PROVIDER_ANTHROPIC_BILLS_KEY: "bills-of-anthropic",
  };
  box = await realBox(environment, { environment, clock: { ...systemClock, now } });
  admin = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  const ask = (model: string, text: string) => ({ model, messages: [{ role: "user", content: text }] });
  for (const at of [firstMs, firstMs + dayMs]) {
    nowMs = at;
    await readStream(box.started.url, ask("openai/gpt-4o-mini", "hello there"));
    await (
      await postChat(box.started.url, ask("openai/gpt-4o", "a somewhat longer question about the weather"))
    ).text();
    await (await postChat(box.started.url, ask("spare/gpt-4o-mini", "hi"))).text();
    await readStream(box.started.url, ask("anthropic/claude-haiku-4-5", "hello"));
    await readStream(box.started.url, ask("openrouter/stand-in", "hello"));
    await (await postChat(box.started.url, ask("deepinfra/stand-in", "hello"))).text();
  }
  nowMs = firstMs + 3 * dayMs;
});
afterAll(async () => {
  await box.stop();
  for (const vendor of vendors.values()) await vendor.stop();
});

async function post(path: string, body: object): Promise<Response> {
  return fetch(`${box.started.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function reconcile(body: object = {}): Promise<Reconciliation> {
  return (await (await post("/admin/usage/reconcile", { from: first, to: second, ...body })).json()) as Reconciliation;
}

test("what has no key for its bills is not compared, and says which kind of key it needs", async () => {
  const found = await reconcile({ provider: "openrouter" });
  expect(found.reconciled).toBe(true);
  expect(found.accounts).toMatchObject([{ provider: "openrouter", state: "not_compared", expected: false, rows: [] }]);
  expect(found.accounts[0]?.reason).toContain("a management key");
  // Nor is the key that calls are made with sent there to see whether it does.
  expect(vendors.get("openrouter")?.log.requests.filter(({ method }) => method === "GET")).toEqual([]);
  const added = await post("/admin/providers/openrouter/keys", { key: "bills-of-openrouter", purpose: "bills" });
  expect(await added.json()).toMatchObject({
    key: { purpose: "bills", host: new URL(vendors.get("openrouter")?.url ?? "").host },
  });
});

test("with nothing planted everything agrees with what four vendors bill", async () => {
  const found = await reconcile();
  expect(found).toMatchObject({ reconciled: true, from: first, to: second });
  expect(found.accounts.map(({ provider, with: others, state }) => [provider, others, state])).toEqual([
    ["openai", ["spare"], "compared"],
    ["anthropic", [], "compared"],
    ["openrouter", [], "compared"],
    ["deepinfra", [], "compared"],
  ]);
  for (const { provider, rows, total } of found.accounts) {
    expect(
      rows.map(({ verdict }) => verdict),
      provider,
    ).toEqual(rows.map(() => "agrees"));
    expect(rows.length, provider).toBe(provider === "openai" ? 4 : 2);
    expect(total?.oursNanos, provider).toBeGreaterThan(1_000);
    // Six digits at least: no tolerance hides an attempt.
    for (const row of rows) expect(row.toleranceNanos * 10, provider).toBeLessThan(row.oursNanos);
  }
  // A key for bills makes no calls, one for calls reads no bills.
  for (const vendor of vendors.values()) {
    for (const { method, headers } of vendor.log.requests) {
      const key = headers.authorization?.replace("Bearer ", "") ?? headers["x-api-key"];
      if (vendor !== vendors.get("deepinfra")) expect(key).toMatch(method === "GET" ? /^bills-of-/ : /^sk-calls$/);
    }
  }
});

test("a day that is not over is not yet reported, and that is no fault", async () => {
  await (
    await postChat(box.started.url, { model: "openrouter/stand-in", messages: [{ role: "user", content: "now" }] })
  ).text();
  const found = await reconcile({ provider: "openrouter", to: dayOf(nowMs) });
  expect(found.reconciled).toBe(true);
  expect(found.accounts[0]?.rows.map(({ day, verdict }) => [day, verdict])).toEqual([
    [first, "agrees"],
    [second, "agrees"],
    [dayOf(nowMs), "not_yet_reported"],
  ]);
});

test("a planted call and a planted amount are found by day, model and amount; exit 1 says so", async () => {
  const vendor = vendors.get("openai") as Vendor;
  nowMs = firstMs + dayMs;
  const direct = await fetch(`${vendor.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer sk-somebody", "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "past the box" }] }),
  });
  await direct.text();
  nowMs = firstMs + 3 * dayMs;
  const { prompt, completion } = vendor.log.asked.at(-1)?.counted ?? { prompt: 0, completion: 0 };
  // $0.15 and $0.60 for a million tokens.
  const plantedNanos = prompt * 150 + completion * 600;
  slips.push({ day: first, model: "claude-haiku-4-5", usd: 0.0012345 });

  const found = await reconcile();
  expect(found.reconciled).toBe(false);
  const off = found.accounts.flatMap(({ provider, rows }) =>
    rows
      .filter(({ verdict }) => verdict !== "agrees")
      .map(({ day, model, differenceNanos, verdict }) => [provider, day, model, differenceNanos, verdict]),
  );
  expect(off).toEqual([
    ["openai", second, "gpt-4o-mini", plantedNanos, "differs"],
    ["anthropic", first, "claude-haiku-4-5", expect.closeTo(1_234_500, -2), "differs"],
  ]);

  const environment = { LANTHORN_HOME: box.home, LANTHORN_URL: box.started.url, LANTHORN_API_KEY: admin };
  const range = ["--from", first, "--to", second];
  const text = await lanthorn(["usage", "reconcile", ...range], { environment });
  expect(text.code).toBe(1);
  const shown = `$0.${String(plantedNanos).padStart(9, "0")}`;
  expect(text.stdout).toMatch(new RegExp(`^${second} +gpt-4o-mini .* \\${shown} .*differs: they bill more`, "mu"));
  expect(text.stderr).toContain(`openai, ${second}, gpt-4o-mini: ${shown}`);
  const asJson = await lanthorn(["usage", "reconcile", ...range, "--provider", "anthropic", "--json"], { environment });
  expect(asJson.code).toBe(1);
  expect(JSON.parse(asJson.stdout)).toMatchObject({ reconciled: false, accounts: [{ provider: "anthropic" }] });
  const agreeing = await lanthorn(["usage", "reconcile", ...range, "--provider", "deepinfra"], { environment });
  expect([agreeing.code, agreeing.stderr]).toEqual([0, "Reading what providers bill …\n"]);
  expect(agreeing.stdout).toContain("2 rows agree within rounding.");
});

test("what was never called here is missing here; a refused key is said, and is no agreement", async () => {
  const vendor = vendors.get("openai") as Vendor;
  nowMs = firstMs;
  const body = { model: "gpt-4.1-nano", messages: [{ role: "user", content: "past the box" }] };
  await (await fetch(`${vendor.baseUrl}/chat/completions`, { method: "POST", body: JSON.stringify(body) })).text();
  nowMs = firstMs + 3 * dayMs;
  const [account] = (await reconcile({ provider: "spare" })).accounts;
  expect(account?.rows.find(({ model }) => model?.startsWith("gpt-4.1-nano"))).toMatchObject({
    ...{ day: first, attempts: 0, oursNanos: 0, verdict: "missing_here" },
  });
  const headers = { authorization: `Bearer ${admin}` };
  await fetch(`${box.started.url}/admin/providers/openrouter/keys/1`, { method: "DELETE", headers });
  await post("/admin/providers/openrouter/keys", { key: "not-the-right-one", purpose: "bills" });
  const refused = await reconcile({ provider: "openrouter" });
  expect(refused).toMatchObject({ reconciled: false, accounts: [{ state: "not_compared", expected: true }] });
  expect(refused.accounts[0]?.reason).toMatch(
    /does not show its bill to this key \(401\)\. It needs a management key/u,
  );
  expect(JSON.stringify(refused)).not.toContain("not-the-right-one");
  const listed = await (await fetch(`${box.started.url}/admin/providers`, { headers })).json();
  const shown = (listed as { providers: { id: string }[] }).providers.find(({ id }) => id === "openrouter");
  expect(shown).toMatchObject({ keys: [{ tail: "…" }], billsKeys: [{ source: "stored 2", tail: "…-one" }] });

  expect((await post("/admin/usage/reconcile", { provider: "nobody" })).status).toBe(404);
  expect((await post("/admin/usage/reconcile", { from: "2026-11-31" })).status).toBe(400);
  expect((await post("/admin/usage/reconcile", { from: "2026-01-01", to: "2026-11-01" })).status).toBe(400);
});

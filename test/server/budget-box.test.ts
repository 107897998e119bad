/** A whole box with budgets, in front of a stand-in vendor: what clients, the admin API, the command line and the settings see. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat } from "../support/sse.ts";
import { startVendor, type Vendor } from "../support/vendors/vendor.ts";
import { lanthorn } from "./cli/run-command.ts";

let vendor: Vendor;
let box: RealBox;
let admin = "";
let environment: Record<string, string> = {};

beforeAll(async () => {
  vendor = await startVendor({ wire: "openai", models: ["stand-in", "dear"] });
  const providers = { acme: { type: "custom", baseUrl: vendor.baseUrl, models: ["stand-in", "dear"] } };
  const price = { provider: "acme", prompt: "1", completion: "2" };
  box = await realBox(
    {
      LANTHORN_PROVIDERS: JSON.stringify(providers),
      LANTHORN_PROVIDER_ACME_KEY: "sk-1",
      LANTHORN_PRICES: JSON.stringify([
        { ...price, model: "stand-in" },
        { ...price, model: "dear", completion: "900000" },
      ]),
      LANTHORN_ZONE: "Europe/Berlin",
      LANTHORN_BUDGETS_CAPS: JSON.stringify({ team: { usd: "1" }, watch: { usd: "0.000001", hard: false } }),
      LANTHORN_ROUTES: JSON.stringify({ both: { groups: ["acme/dear", "engine/lanthorn-demo"], maxOutputTokens: 4 } }),
    },
    { environment: { LANTHORN_PROVIDER_ACME_KEY: "sk-1" } },
  );
  admin = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  environment = { LANTHORN_HOME: box.home };
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
});

const messages = [{ role: "user", content: "hello" }];

async function post(path: string, body: object) {
  const answer = await fetch(`${box.started.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

async function get(path: string) {
  const answer = await fetch(`${box.started.url}${path}`, { headers: { authorization: `Bearer ${admin}` } });
  return (await answer.json()) as { held: number; budgets: readonly Record<string, unknown>[] };
}

test.each([
  ["/v1/chat/completions", { model: "acme/dear", messages }, { error: { code: "budget_exceeded" } }],
  ["/v1/chat/completions", { model: "acme/dear", messages, stream: true }, { error: { code: "budget_exceeded" } }],
  ["/v1/responses", { model: "acme/dear", input: "hello" }, { error: { code: "budget_exceeded" } }],
  [
    "/v1/messages",
    { model: "acme/dear", messages, max_tokens: 9 },
    { type: "error", error: { type: "billing_error" } },
  ],
  ["/api/chat", { model: "acme/dear", messages, stream: false }, { error: expect.stringContaining("Budget reached") }],
])("S-28 past the limit %s answers 402 in its own shape, and nobody is asked", async (path, body, shape) => {
  vendor.clear();
  const answer = await post(path, body);
  expect(answer.status).toBe(402);
  expect(answer.headers.get("x-should-retry")).toBe("false");
  expect(answer.body).toMatchObject(shape);
  expect(JSON.stringify(answer.body)).toContain("Europe/Berlin");
  expect([vendor.log.asked.length, vendor.log.connections]).toEqual([0, 0]);
});

test("S-28 a route that ends on this box goes on there", async () => {
  vendor.clear();
  const answer = await post("/v1/chat/completions", { model: "both", messages, max_tokens: 4 });
  expect([answer.status, answer.headers.get("x-lanthorn-target")]).toEqual([200, "engine/lanthorn-demo"]);
  expect(vendor.log.asked).toEqual([]);
});

test("what is spent and held stands in the state, the list and the metrics; a soft budget that is over is said in a header", async () => {
  let atVendor: Awaited<ReturnType<typeof get>> | null = null;
  vendor.script({ firstMs: 300 });
  const asking = post("/v1/chat/completions", { model: "acme/stand-in", messages, max_tokens: 60 });
  await vendor.waitForAsked(1);
  atVendor = await get("/admin/state");
  expect(atVendor.held).toBeGreaterThan(100);
  expect(atVendor.budgets).toMatchObject([{ name: "team", heldNanos: atVendor.held }, { name: "watch" }]);
  const answer = await asking;
  expect(answer.headers.get("x-lanthorn-budget")).toMatch(/^this box has used \$0\.00 of \$0\.000001 this month$/);
  const { counted } = vendor.log.asked[0] ?? {};
  const spent = (counted?.prompt ?? 0) * 1_000 + (counted?.completion ?? 0) * 2_000;
  expect(await get("/admin/budgets")).toMatchObject({
    heldNanos: 0,
    budgets: [
      { name: "team", of: "all", spentNanos: spent, heldNanos: 0, leftNanos: 1e9 - spent, zone: "Europe/Berlin" },
      { name: "watch", hard: false, state: "over", leftNanos: 0 },
    ],
  });
  const metrics = await fetch(`${box.started.url}/metrics`, { headers: { authorization: `Bearer ${admin}` } });
  expect(await metrics.text()).toContain(`lanthorn_budget_nanos{budget="team",kind="spent"} ${spent}`);
});

test("a budget is set, raised and ended from the command line: at once, and in the settings", async () => {
  const run = (...argv: string[]) => lanthorn(argv, { environment });
  const ask = async () => (await postChat(box.started.url, { model: "acme/stand-in", messages })).status;
  const set = await run(
    "usage",
    "budgets",
    "set",
    "acme",
    "--usd",
    "0",
    "--of",
    "provider:acme",
    "--every",
    "day",
    "--json",
  );
  expect(JSON.parse(set.stdout)).toMatchObject([{ name: "acme", of: "provider:acme", every: "day", state: "over" }]);
  expect(await ask()).toBe(402);
  expect(readFileSync(join(box.home, "lanthorn.yaml"), "utf8")).toMatch(/caps:\s+acme:\s+usd: "0"/);
  const raised = await run(
    "usage",
    "budgets",
    "set",
    "acme",
    "--usd",
    "2.5",
    "--of",
    "provider:acme",
    "--every",
    "day",
  );
  expect(raised.stdout).toMatch(/acme +provider:acme +day +\$2\.50/);
  expect(await ask()).toBe(200);
  expect((await run("usage", "budgets", "rm", "acme", "--yes", "--json")).stdout).toContain('"removed": "acme"');
  expect((await run("usage", "budgets", "rm", "acme", "--yes")).code).toBe(5);
});

/** A whole box with a price for electricity: rows, routes and commands say what this box cost and what it saved. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminOf } from "../support/box-client.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { lanthorn } from "./cli/run-command.ts";

let box: RealBox;
const settings = {
  LANTHORN_POWER_PRICE_PER_KWH: "0.30",
  LANTHORN_POWER_CURRENCY: "EUR",
  LANTHORN_POWER_USD_PER_UNIT: "1.1",
  LANTHORN_POWER_WATTS: "250",
  LANTHORN_POWER_BASE_WATTS: "50",
  LANTHORN_SAVINGS_PROVIDER: "anthropic",
  LANTHORN_SAVINGS_MODEL: "claude-haiku-4-5",
  LANTHORN_ZONE: "UTC",
  LANTHORN_TASKS: '[{ "task": "chat", "alias": "lanthorn-demo" }]',
};

beforeAll(async () => {
  box = await realBox(settings);
});
afterAll(async () => {
  await box.stop();
});

test("local answers have a cost, the sums agree, and savings are told by route and by command", async () => {
  const ask = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`${box.started.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "lanthorn-demo", max_tokens: 12, messages: [{ role: "user", content: "hello" }] }),
    });
    await response.text();
    return { status: response.status, cost: response.headers.get("x-lanthorn-cost") };
  };
  const first = await ask({ "x-lanthorn-task": "Smoke Test" });
  expect(first).toMatchObject({ status: 200, cost: expect.stringMatching(/^0\.\d{9}\(estimated\)$/u) });
  expect((await ask()).status).toBe(200);

  const { headers } = adminOf(box);
  const get = async (path: string) => {
    const response = await fetch(box.started.url + path, { headers });
    expect(response.status).toBe(200);
    return JSON.parse(await response.text());
  };
  const { requests } = await get("/admin/usage/requests");
  expect(requests).toHaveLength(2);
  for (const { cost } of requests) expect(cost).toMatchObject({ known: true, basis: "estimated" });
  const spent = requests.reduce((sum: number, { cost }: { cost: { nanos: number } }) => sum + cost.nanos, 0);
  expect(spent).toBeGreaterThan(0);

  const month = new Date().toISOString().slice(0, 7);
  const savings = await get(`/admin/usage/savings?month=${month}`);
  const [only] = savings.months;
  expect(only).toMatchObject({ month, requests: 2, unknown: { requests: 0 } });
  expect(only.by[0]).toEqual({ cause: "local", nanos: only.baselineNanos - spent });
  expect(only.savedNanos).toBe(only.baselineNanos - only.actualNanos);
  expect(savings.localContext.from).toBe("served");
  const power = await get("/admin/usage/power");
  expect(power.total.usedNanos).toBe(spent);

  const environment = { LANTHORN_HOME: box.home, ...settings };
  const told = await lanthorn(["usage", "savings", "--month", month, "--json"], { environment });
  expect({ code: told.code, stderr: told.stderr }).toEqual({ code: 0, stderr: "" });
  const [toldMonth] = JSON.parse(told.stdout).months;
  expect(toldMonth.by[0]).toMatchObject({ cause: "local", nanos: only.by[0].nanos, usd: expect.any(String) });
  const words = await lanthorn(["usage", "savings"], { environment });
  expect(words.stdout).toContain("Against all of it on anthropic/claude-haiku-4-5");
  expect((await lanthorn(["usage", "forecast"], { environment })).stdout).toContain(
    "it takes 7 whole days, and there are 0",
  );
  expect((await lanthorn(["usage", "power"], { environment })).stdout).toMatch(/^Month +\d{4}-\d\d \(UTC\)\nMetered /u);
  const wrong = await fetch(`${box.started.url}/admin/usage/savings?month=2026-13`, { headers });
  expect(wrong.status).toBe(400);
});

test("without a baseline the command says how to choose one", async () => {
  const bare = await realBox();
  try {
    const environment = { LANTHORN_HOME: bare.home };
    const { code, stderr } = await lanthorn(["usage", "savings"], { environment });
    expect(code).not.toBe(0);
    expect(stderr).toContain("No baseline is chosen to compare with.");
    expect(stderr).toContain("savings.provider and savings.model");
    const { stdout } = await lanthorn(["usage", "power"], { environment });
    expect(stdout).toContain("Set power.pricePerKwh");
  } finally {
    await bare.stop();
  }
});

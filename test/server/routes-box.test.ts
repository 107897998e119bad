/** A whole box with routes, in front of stand-in vendors on real connections: what clients, rows and commands see. */
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { modelsAnswer, requestAnswer } from "../../server/cli/answers.ts";
import { explainAnswer, healthAnswer, routesAnswer, testAnswer } from "../../server/cli/route/answers.ts";
import type { PlanRecord } from "../../server/domain/routing/plan.ts";
import { lanthorn } from "./cli/run-command.ts";
import { adminOf } from "../support/box-client.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";
import { type Fault, faults, standInText, startVendor, type Vendor } from "../support/vendors/vendor.ts";

let good: Vendor;
let bad: Vendor;
let closed: Server;
let box: RealBox;

/** Each case fails at a target of its own, so that none finds it resting. */
const cases: readonly (readonly [name: string, fault: Fault])[] = [
  ["500", faults.broken],
  ["503", faults.unavailable],
  ["529", faults.overloaded],
  ["429", faults.rateLimited()],
  ["quota", faults.quota],
  ["wrong-key", faults.wrongKey],
  ["no-model", faults.noModel],
  ["too-long", faults.tooLong],
  ["silent", faults.silent],
  ["html", faults.html],
  ["garbage", faults.garbage],
  ["hidden-trouble", faults.errorUnder200],
];
const names = [...cases.map(([name]) => name), "invalid", "later", "cooling", "looked-at", "two-tries"];

beforeAll(async () => {
  good = await startVendor({ wire: "openai", models: ["stand-in"] });
  bad = await startVendor({ wire: "openai", models: names });
  // A port where nobody listens any more.
  closed = createServer();
  await new Promise<void>((done) => closed.listen(0, "127.0.0.1", done));
  const nobody = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/v1`;
  await new Promise((done) => closed.close(done));
  const custom = { type: "custom", timeouts: { firstByteMs: 600, idleMs: 600, wholeMs: 2_000 } };
  const providers = {
    bad: { ...custom, baseUrl: bad.baseUrl, models: names },
    good: { ...custom, baseUrl: good.baseUrl, models: ["stand-in"] },
    nobody: { ...custom, baseUrl: nobody, models: ["m"] },
    tls: { ...custom, baseUrl: bad.baseUrl.replace("http:", "https:"), models: ["m"] },
  };
  const routes = {
    ...Object.fromEntries(
      names.map((name) => [`any-${name}`, { targets: [`bad/${name}`, "good/stand-in"], retries: 0 }]),
    ),
    "any-refused": { targets: ["nobody/m", "good/stand-in"], retries: 0 },
    "any-tls": { targets: ["tls/m", "good/stand-in"], retries: 0 },
    closed: { groups: ["good/stand-in", "engine/lanthorn-demo", "bad/500"], localOnly: true, maxOutputTokens: 8 },
    ruled: {
      groups: [
        { name: "here", targets: ["engine/lanthorn-demo"] },
        { name: "cloud", targets: ["good/stand-in"] },
      ],
      rules: [{ name: "review", when: { role: "reviewer" }, use: "cloud" }],
      maxOutputTokens: 8,
    },
  };
  const prices = [{ provider: "good", model: "stand-in", prompt: "1", completion: "2" }];
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify(providers),
    LANTHORN_ROUTES: JSON.stringify(routes),
    LANTHORN_PRICES: JSON.stringify(prices),
  };
  box = await realBox(environment, { environment });
});
afterAll(async () => {
  await box.stop();
  await good.stop();
  await bad.stop();
});
beforeEach(() => {
  good.script();
  good.clear();
  bad.script();
  bad.clear();
});

const ask = (model: string) => ({ model, messages: [{ role: "user", content: "hello" }] });

async function call(method: string, path: string, body?: object) {
  const answer = await adminOf(box).call(method, path, body);
  return answer.json();
}

/** With its plan, which the shape of the command line does not judge. */
async function rowOf(answer: { readonly headers: Headers }) {
  return requestAnswer.parse(await call("GET", `/admin/usage/requests/${answer.headers.get("x-request-id")}`));
}

describe("S-25 the first target fails, the second answers: one answer, one charge", () => {
  test.each([...cases.map(([name, fault]) => [name, fault] as const), ["refused", null], ["tls", null]] as const)(
    "%s",
    async (name, fault) => {
      if (fault !== null) bad.script(() => ({ fault }));
      const stream = await readStream(box.started.url, ask(`any-${name}`));
      expect(stream.status).toBe(200);
      expect(stream.text).toBe(standInText);
      expect(stream.data.filter((one) => one === "[DONE]")).toHaveLength(1);
      expect(stream.body).not.toContain("error");
      expect(good.log.asked).toHaveLength(1);
      const request = await rowOf(stream);
      expect(request).toMatchObject({
        status: "done",
        attempts: [
          { number: 1, status: "failed" },
          { number: 2, status: "done", target: "good/stand-in" },
        ],
      });
      const [first, second] = request.attempts;
      expect(first?.usage.completionTokens).toBe(0);
      const charge = second?.cost?.known ? second.cost.nanos : 0;
      expect(charge).toBeGreaterThan(0);
      expect(request.knownCostNanos).toBe(charge);
      const plan = request.plan as PlanRecord;
      expect(plan.attempts.map(({ target }) => target)).toEqual([first?.target, "good/stand-in"]);
    },
  );
});

test("S-25 what the client did wrong is answered as it is, and nobody else is asked", async () => {
  bad.script(() => ({ fault: faults.invalid }));
  const answer = await postChat(box.started.url, ask("any-invalid"));
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("temperature is wrong");
  expect(good.log.asked).toHaveLength(0);
});

test("S-25 an upstream that breaks off after content: one error event, nobody else is asked", async () => {
  bad.script(() => ({ fault: { kind: "cut", at: 0.7 } }));
  const stream = await readStream(box.started.url, ask("any-later"));
  expect(stream.text).not.toBe("");
  expect(stream.data).not.toContain("[DONE]");
  expect(JSON.parse(stream.data.at(-1) ?? "")).toHaveProperty("error.message");
  expect(good.log.asked).toHaveLength(0);
  expect(await rowOf(stream)).toMatchObject({ status: "failed", attempts: [{ number: 1 }] });
});

test("S-25 a target that asks to be left alone is: seen in the state, and by the next request", async () => {
  bad.script(() => ({ fault: { ...faults.unavailable, headers: { "retry-after": "40" } } }));
  await readStream(box.started.url, ask("any-cooling"));
  await readStream(box.started.url, ask("any-cooling"));
  expect(bad.log.asked).toHaveLength(1);
  const { targets } = routesAnswer.parse(await call("GET", "/admin/routes"));
  const target = targets.find((one) => one.target === "bad/cooling");
  expect(target?.cooldown).toMatchObject({ state: "open", reason: "upstream_overloaded" });
  expect((target?.cooldown.until ?? 0) - Date.now()).toBeGreaterThan(8_000);
  const { plan } = explainAnswer.parse(await call("POST", "/admin/routes/explain", { model: "any-cooling" }));
  expect(plan.excluded).toMatchObject([{ target: "bad/cooling", reason: "cooling_down" }]);
});

describe("local only", () => {
  test("means it: the vendors log no connection", async () => {
    const connections = () => [good.log.connections, bad.log.connections];
    const before = connections();
    const stream = await readStream(box.started.url, ask("closed"));
    expect(stream.status).toBe(200);
    expect((await rowOf(stream)).attempts).toMatchObject([{ target: "engine/lanthorn-demo", status: "done" }]);
    const header = { headers: { "x-lanthorn-data": "local", "x-lanthorn-role": "reviewer" } };
    const refused = await postChat(box.started.url, ask("ruled"), header);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("the data must not go there");
    expect(connections()).toEqual(before);
  });

  test("a data class that nobody knows is refused, with a row", async () => {
    const answer = await postChat(box.started.url, ask("ruled"), { headers: { "x-lanthorn-data": "secret" } });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("x-lanthorn-data must be one of local, no-retention, any.");
    expect(await rowOf(answer)).toMatchObject({ status: "refused", attempts: [] });
  });
});

test("the plan that explain prints is the plan of the request's row", async () => {
  const headers = { "x-lanthorn-role": "reviewer" };
  const stream = await readStream(box.started.url, ask("ruled"), { headers });
  const plan = (await rowOf(stream)).plan as PlanRecord;
  expect(plan).toMatchObject({
    via: [{ alias: "ruled", rule: "review" }],
    attempts: [{ target: "good/stand-in" }],
    maxTokens: 8,
  });
  const { role, ...facts } = plan.facts;
  expect(role).toBe("reviewer");
  const explained = explainAnswer.parse(
    await call("POST", "/admin/routes/explain", { model: "ruled", headers, facts }),
  );
  expect(explained.plan).toEqual(plan);
  expect(good.log.asked.at(-1)?.body).toMatchObject({ model: "stand-in" });
});

test("aliases are in /v1/models", async () => {
  const { data } = modelsAnswer.parse(await call("GET", "/v1/models"));
  expect(data.map(({ id }) => id)).toEqual(
    expect.arrayContaining(["closed", "ruled", "lanthorn-demo", "good/stand-in"]),
  );
});

test("a provider that a route leads to is not removed: the next start would be refused", async () => {
  const answer = await adminOf(box).call("DELETE", "/admin/providers/tls");
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    { error: { message: 'Routes lead to "tls": any-tls.', next: ["lanthorn route apply change.yaml"] } },
  ]);
  expect(await (await adminOf(box).call("GET", "/admin/providers")).text()).toContain('"id":"tls"');
});

describe("lanthorn route", () => {
  const environment = () => ({ LANTHORN_HOME: box.home });

  test("list names aliases, strategies, targets and their state", async () => {
    const { stdout, code } = await lanthorn(["route", "list"], { environment: environment() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ALIAS +GROUP +STRATEGY +TARGET +STATE +BUSY +FIRST TOKEN$/m);
    expect(stdout).toMatch(/^ruled +cloud +in-order +good\/stand-in +/m);
    expect(stdout).toContain("ruled: 1 rule (review)");
  });

  test("explain says what would be tried and what would not, and why", async () => {
    const args = ["route", "explain", "ruled", "--tokens", "1200", "--header", "x-lanthorn-role: reviewer"];
    const { stdout, code } = await lanthorn(args, { environment: environment() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Asked +ruled: 1,?.?200 in, at most 8 out; role reviewer$/m);
    expect(stdout).toMatch(/^Rule +review of ruled$/m);
    expect(stdout).toMatch(/^ *1 {2}good\/stand-in +cloud +the only place that serves this model$/m);
    expect(stdout).toMatch(/^ *- {2}engine\/lanthorn-demo +here +the rule that applies uses other groups \(review\)$/m);
    const json = await lanthorn([...args, "--json"], { environment: environment() });
    expect(JSON.parse(json.stdout)).toMatchObject({ alias: "ruled", attempts: [{ target: "good/stand-in" }] });
    expect((await lanthorn(["route", "explain", "rulde"], { environment: environment() })).code).toBe(5);
    expect(
      (await lanthorn(["route", "explain", "ruled", "--header", "role"], { environment: environment() })).code,
    ).toBe(2);
  });

  test("test sends the smallest request through and draws its attempts", async () => {
    bad.script(() => ({ fault: faults.broken }));
    const { stdout, code } = await lanthorn(["route", "test", "any-two-tries"], { environment: environment() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 bad\/two-tries: .*failed: upstream_failed/);
    expect(stdout).toMatch(/2 good\/stand-in: .*done/);
    good.script(() => ({ fault: faults.broken }));
    const failed = await lanthorn(["route", "test", "any-two-tries", "--json"], { environment: environment() });
    expect(failed.code).toBe(8);
    expect(testAnswer.parse(JSON.parse(failed.stdout))).toMatchObject({
      ok: false,
      failure: { code: "upstream_failed" },
    });
  });
});

describe("health in three depths, target by target", () => {
  const look = (alias: string, depth: string) =>
    lanthorn(["route", "health", alias, "--depth", depth, "--json"], { environment: { LANTHORN_HOME: box.home } });

  test("nobody there, not on the list, no answer: said apart, and no request of anybody's is spent on it", async () => {
    const nobody = healthAnswer.parse(JSON.parse((await look("any-refused", "reachable")).stdout));
    expect(nobody.targets).toMatchObject([
      { target: "nobody/m", able: false, code: "upstream_unreachable" },
      { target: "good/stand-in", able: true, depth: "reachable" },
    ]);
    const listed = await look("any-later", "listed");
    expect(listed.code).toBe(0);
    expect(bad.log.requests.map(({ path }) => path)).toEqual(["/v1/models"]);
    bad.script({ fault: faults.broken });
    const answers = await look("any-later", "answers");
    expect(answers.code).toBe(8);
    expect(healthAnswer.parse(JSON.parse(answers.stdout)).targets).toMatchObject([
      { target: "bad/later", able: false, code: "upstream_failed" },
      { target: "good/stand-in", able: true, reason: "it answers" },
    ]);
    expect((await look("any-latter", "listed")).code).toBe(5);
  });

  test("S-25 a target that was left alone and answers is back before its time", async () => {
    bad.script({ fault: { ...faults.unavailable, headers: { "retry-after": "40" } } });
    await readStream(box.started.url, ask("any-looked-at"));
    const stateOf = async () => {
      const { targets } = routesAnswer.parse(await call("GET", "/admin/routes"));
      return targets.find(({ target }) => target === "bad/looked-at");
    };
    expect(await stateOf()).toMatchObject({ cooldown: { state: "open" } });
    await look("any-looked-at", "listed");
    expect(await stateOf()).toMatchObject({ cooldown: { state: "open" } });
    await look("any-looked-at", "answers");
    expect(await stateOf()).toMatchObject({ cooldown: { state: "closed" }, health: { depth: "answers" } });
    const stream = await readStream(box.started.url, ask("any-looked-at"));
    expect((await rowOf(stream)).attempts).toMatchObject([{ target: "bad/looked-at", status: "done" }]);
  });
});

test("a route may name a provider that this box does not ask now; nobody hears of it", async () => {
  const environment = {
    LANTHORN_NETWORK_LOCAL_ONLY: "true",
    LANTHORN_PROVIDERS: JSON.stringify({ acme: { type: "custom", baseUrl: good.baseUrl, models: ["stand-in"] } }),
    LANTHORN_ROUTES: JSON.stringify({
      coder: { groups: ["acme/stand-in", "engine/lanthorn-demo"], maxOutputTokens: 4 },
    }),
  };
  const local = await realBox(environment, { environment });
  try {
    expect((await postChat(local.started.url, ask("coder"))).status).toBe(200);
    expect(good.log.asked).toHaveLength(0);
  } finally {
    await local.stop();
  }
});

/**
 * `lanthorn route apply` at a whole box: a route is taken when it passes its gate, and otherwise everything is exactly as before:
 * what answers, and every byte of the settings.
 */
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RealBox, realBox } from "../support/real-box.ts";
import { startServer } from "../support/running-server.ts";
import { postChat } from "../support/sse.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startVendor, type Vendor } from "../support/vendors/vendor.ts";
import { lanthorn, startLanthorn } from "./cli/run-command.ts";

let vendor: Vendor;
let box: RealBox;
let settings = "";
let environment: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  vendor = await startVendor({ wire: "openai", models: ["good", "bad", "third"] });
  const providers = { cloud: { type: "custom", baseUrl: vendor.baseUrl, models: ["good", "bad", "third"] } };
  const own = { LANTHORN_PROVIDERS: JSON.stringify(providers) };
  box = await realBox(own, { environment: own });
  settings = join(box.home, "lanthorn.yaml");
  const key = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  environment = { LANTHORN_HOME: box.home, LANTHORN_URL: box.started.url, LANTHORN_API_KEY: key };
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
});
beforeEach(() => {
  vendor.clear();
  vendor.script(({ body }) => ({ text: body.model === "bad" ? "no" : "four" }));
});

const tasks = '{"prompt":"2+2?","expected":"four"}\n{"prompt":"1+3?","expected":"Four."}\n';

/** Routes and a gate in a folder of their own. */
function change(yaml: string) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "tasks.jsonl"), tasks);
  writeFileSync(join(folder, "change.yaml"), yaml);
  return { file: join(folder, "change.yaml"), gate: join(folder, "tasks.jsonl") };
}

const ask = (model: string) => ({ model, messages: [{ role: "user", content: "hello" }] });
const targetOf = async (model: string) =>
  (await postChat(box.started.url, ask(model))).headers.get("x-lanthorn-target");
const models = async () => {
  const list = (await (await fetch(`${box.started.url}/v1/models`)).json()) as { data: { id: string }[] };
  return list.data.map(({ id }) => id);
};

async function admin(method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${box.started.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${environment.LANTHORN_API_KEY}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

test("--dry-run says what would change, and a route that cannot be used is told before anything is asked", async () => {
  const { file, gate } = change("routes:\n  ask: [cloud/good, cloud/third]\n");
  const { code, stdout } = await lanthorn(["route", "apply", file, "--gate", gate, "--dry-run"], { environment });
  expect(code).toBe(0);
  expect(stdout).toBe(
    "ask: added\n  + - cloud/good\n  + - cloud/third\n\n1 route would change. Nothing was changed.\n",
  );
  expect(existsSync(settings)).toBe(false);
  const wrong = await lanthorn(["route", "apply", change("routes:\n  ask: [nowhere/x]\n").file], { environment });
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain('there is no backend "nowhere"');
  const many = { ask: { targets: ["cloud/good"], retries: "many" } };
  const refused = await admin("POST", "/admin/routes/changes", { routes: many });
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: "routes.ask.retries" } }]);
  expect(vendor.log.asked).toHaveLength(0);
});

test("a route that passes is in use and in the settings at once; comments there stay", async () => {
  writeFileSync(settings, "# the office box\n");
  const { file } = change(
    "routes:\n  ask: [cloud/good]\n  other: cloud/third\ngate:\n  tasks: tasks.jsonl\n  aliases: [ask]\n",
  );
  const { code, stdout, stderr } = await lanthorn(["route", "apply", file, "--json"], { environment });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ applied: true, reason: null },
    changes: [
      { alias: "ask", change: "added", before: null, after: ["cloud/good"] },
      { alias: "other", change: "added", after: "cloud/third" },
    ],
    gate: { minPassRate: 0.9, results: [{ target: "ask", passed: 2, tasks: 2 }] },
  });
  expect(readFileSync(settings, "utf8")).toBe(
    "# the office box\n\nroutes:\n  ask:\n    - cloud/good\n  other: cloud/third\n",
  );
  expect(await targetOf("ask")).toBe("cloud/good");
  const shown = (await (await admin("GET", "/admin/config")).json()) as { path: string }[];
  expect(JSON.stringify(shown)).toContain('"routes.ask"');
});

test("one that fails is rolled back with the reason, and no request met it while it was measured", async () => {
  const before = "routes: # mine\n  ask: [ cloud/good ]   # since May\n  other: cloud/third\n";
  writeFileSync(settings, before);
  const live: (string | null)[] = [];
  const { file, gate } = change("routes:\n  ask: { targets: [cloud/bad], retries: 0 }\n  other: null\n");
  const measured = new Promise<void>((done) => {
    vendor.script(({ body }) => {
      if (body.model !== "bad") return { text: "four" };
      // While the gate is asked, others use the alias.
      if (live.length === 0)
        void targetOf("ask")
          .then((target) => void live.push(target))
          .then(done);
      return { text: "no", firstMs: 200 };
    });
  });
  const { code, stdout } = await lanthorn(["route", "apply", file, "--gate", gate, "--json"], { environment });
  await measured;
  expect(code).toBe(1);
  const answer = JSON.parse(stdout);
  expect(answer).toMatchObject({ applied: false, gate: { results: [{ target: "ask", passed: 0, tasks: 2 }] } });
  expect(answer.reason).toBe('"ask" answered 0 of 2 right, and 90.0 % are needed; most often: another answer');
  expect(new Set(live)).toEqual(new Set(["cloud/good"]));
  expect(readFileSync(settings, "utf8")).toBe(before);
  expect(await targetOf("ask")).toBe("cloud/good");
  expect(await models()).toEqual(expect.arrayContaining(["ask", "other"]));
  const text = await lanthorn(["route", "apply", file, "--gate", gate], { environment });
  expect(text.code).toBe(1);
  expect(text.stdout).toMatch(/other: removed\n {2}- cloud\/third\n[\s\S]*rolled back: "ask" answered 0 of 2 right/u);
});

test("a command that is killed while it measures leaves everything as it was", async () => {
  const before = readFileSync(settings, "utf8");
  vendor.script(() => ({ fault: { kind: "silent" } }));
  const { file, gate } = change("routes:\n  ask: [cloud/third]\n");
  const child = startLanthorn(["route", "apply", file, "--gate", gate], { environment });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await vendor.waitForAsked(1);
  child.kill("SIGINT");
  await once(child, "close");
  expect(child.exitCode).toBe(130);
  expect(stderr).toContain("No route was changed.");
  expect(readFileSync(settings, "utf8")).toBe(before);
  vendor.script(() => ({ text: "four" }));
  expect(await targetOf("ask")).toBe("cloud/good");
});

test("a server that is killed while it measures leaves the settings as they were for its next start", async () => {
  const home = temporaryFolder();
  const own = `providers:\n  cloud: { type: custom, baseUrl: "${vendor.baseUrl}", models: [good, bad, third] } # ours\n`;
  const before = `${own}routes:\n  ask: [ cloud/good ]\n`;
  writeFileSync(join(home, "lanthorn.yaml"), before);
  vendor.script(() => ({ fault: { kind: "silent" } }));
  const server = await startServer({ home });
  try {
    const { file, gate } = change("routes:\n  ask: [cloud/third]\n");
    const command = lanthorn(["route", "apply", file, "--gate", gate], { environment: { LANTHORN_HOME: home } });
    await vendor.waitForAsked(1);
    await server.stop("SIGKILL");
    const { code, stderr } = await command;
    expect(code).toBe(3);
    expect(stderr).toContain("No route was changed.");
    expect(readFileSync(join(home, "lanthorn.yaml"), "utf8")).toBe(before);
  } finally {
    await server.remove();
  }
});

test("of two changes at once the later counts, and neither is taken over somebody's edit of the file", async () => {
  const before = readFileSync(settings, "utf8");
  const begin = async (routes: object) =>
    (await (await admin("POST", "/admin/routes/changes", { routes })).json()) as {
      id: string;
      changes: { trial: string }[];
    };
  const first = await begin({ ask: ["cloud/third"] });
  const second = await begin({ ask: ["cloud/bad"] });
  const take = async (id: string) => (await admin("POST", `/admin/routes/changes/${id}/apply`)).json();
  expect(await take(first.id)).toMatchObject({ applied: false, reason: expect.stringContaining("begun since") });
  const trial = second.changes[0]?.trial ?? "";
  expect(await targetOf(trial)).toBe("cloud/bad");
  expect(await models()).not.toContain(trial);
  writeFileSync(settings, `${before}# a note\n`);
  expect(await take(second.id)).toMatchObject({
    applied: false,
    reason: expect.stringContaining("changed the settings"),
  });
  expect(readFileSync(settings, "utf8")).toBe(`${before}# a note\n`);
  expect(await targetOf("ask")).toBe("cloud/good");
  expect((await postChat(box.started.url, ask(trial))).status).toBe(404);
  expect((await admin("DELETE", `/admin/routes/changes/${second.id}`)).status).toBe(404);
});

test("routes that the environment sets cannot be changed here", async () => {
  const fixed = { LANTHORN_ROUTES: JSON.stringify({ demo: "lanthorn-demo" }) };
  const other = await realBox(fixed, { environment: fixed });
  try {
    const key = readFileSync(join(other.home, "admin.key"), "utf8").trim();
    const there = { ...environment, LANTHORN_URL: other.started.url, LANTHORN_API_KEY: key };
    const { code, stderr } = await lanthorn(["route", "apply", change("routes:\n  demo: null\n").file], {
      environment: there,
    });
    expect(code).toBe(2);
    expect(stderr).toContain("the variable LANTHORN_ROUTES");
  } finally {
    await other.stop();
  }
});

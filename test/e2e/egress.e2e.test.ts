/** S-40: at its start, and while it serves local models, the box speaks to nobody. See docs/egress.md. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/real-engine.ts";
import { bin, run, startServer } from "../support/running-server.ts";
import { postChat } from "../support/sse.ts";

const recorder = join(import.meta.dirname, "../support/egress-recorder.ts");

/** Environment that records, and what was recorded. */
async function recording() {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, "egress.txt");
  return {
    home: join(folder.path, "home"),
    environment: { NODE_OPTIONS: `--import ${recorder}`, EGRESS_RECORD: file },
    recorded: () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []),
  };
}

test("the recorder sees names looked up, connections and datagrams", async () => {
  const { environment, recorded } = await recording();
  const code = `
    import { connect } from "node:net"; import { lookup } from "node:dns"; import { createSocket } from "node:dgram";
    const tries = [
      () => connect(443, "203.0.113.7"), () => lookup("box.example", () => {}),
      () => createSocket("udp4").send("x", 53, "203.0.113.7"),
    ];
    for (const attempt of tries) try { attempt() } catch {}
    await fetch("http://hub.example/").catch(() => {});
    process.exit();`;
  const outcome = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...process.env, ...environment },
  });
  expect(outcome.status).toBe(0);
  expect(recorded()).toEqual([
    "connect 203.0.113.7:443",
    "lookup box.example",
    "send 203.0.113.7",
    expect.stringContaining("hub.example"),
  ]);
});

test.each([
  ["on this computer", [], {}],
  [
    "on the network, encrypted",
    ["--lan", "--tls"],
    { LANTHORN_ADMIN_KEY: "chosen-admin-key", LANTHORN_ANNOUNCE: "off" },
  ],
])("S-40 a start, a chat and a stop make 0 network calls: %s", async (_where, flags, more) => {
  const { home, environment, recorded } = await recording();
  const server = await startServer({ home, flags, environment: { ...environment, ...more } });
  onTestFinished(() => server.remove());
  if (flags.length === 0) {
    const answer = await postChat(server.url, { model: "lanthorn-demo", messages: [{ role: "user", content: "hi" }] });
    expect(answer.status).toBe(200);
  }
  const command = { ...process.env, ...environment, LANTHORN_HOME: home, LANTHORN_API_KEY: "chosen-admin-key" };
  if (flags.length === 0) Reflect.deleteProperty(command, "LANTHORN_API_KEY");
  expect((await run(["--json"], command)).code).toBe(0);
  expect(await server.stop()).toBe(0);
  expect(recorded()).toEqual([]);
});

/** How to run something where there is no network at all; null where that is not allowed. */
function withoutNetwork(): readonly string[] | null {
  for (const flags of ["-n", "-rn"]) {
    const probe = spawnSync("unshare", [flags, "ip", "link", "set", "lo", "up"]);
    if (probe.status === 0) return ["unshare", flags, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  }
  return null;
}

test("S-40 with no network but loopback it becomes ready, answers, and stops", async ({ skip }) => {
  const prefix = process.platform === "linux" ? withoutNetwork() : null;
  if (prefix === null) skip("no right to make a network namespace here, or no `unshare` and `ip` (Debian: iproute2)");
  const [program = "", ...words] = prefix ?? [];
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const environment = { ...process.env, LANTHORN_HOME: folder.path, LANTHORN_ENGINE_THREADS: "1" };
  const server: ChildProcess = spawn(
    program,
    [...words, process.execPath, bin, "serve", "--port", "0", "--ready-json"],
    {
      env: environment,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  onTestFinished(() => void server.kill("SIGKILL"));
  if (server.stdout === null) throw new Error("no stdout");
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  const { url, pid } = JSON.parse(String(line));
  const interfaces = readFileSync(`/proc/${pid}/net/dev`, "utf8").match(/^ *[\w-]+(?=:)/gm) ?? [];
  expect(interfaces.map((name) => name.trim())).toEqual(["lo"]);
  const chat = JSON.stringify({ model: "lanthorn-demo", messages: [{ role: "user", content: "hello" }] });
  const asked = `const r = await fetch(${JSON.stringify(`${url}/v1/chat/completions`)}, { method: "POST",
    headers: { "content-type": "application/json" }, body: ${JSON.stringify(chat)} }); console.log(r.status, await r.text());`;
  const inside = ["--net", "--user", "--preserve-credentials", "-t", String(pid)].filter(
    (word) => prefix?.[1] === "-rn" || !["--user", "--preserve-credentials"].includes(word),
  );
  const answer = execFileSync("nsenter", [...inside, process.execPath, "--input-type=module", "-e", asked], {
    encoding: "utf8",
  });
  expect(answer).toMatch(/^200 .*demo model/);
  const gone = once(server, "exit");
  process.kill(pid, "SIGTERM");
  expect(await gone).toEqual([0, null]);
});

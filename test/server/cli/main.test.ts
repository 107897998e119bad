/** The command line as a whole: what it does with words, streams and exit codes, before any command does its work. */
import { describe, expect, test } from "vitest";
import { commands } from "../../../server/cli/commands/index.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { lanthorn, lanthornAlone, startLanthorn } from "./run-command.ts";
import { sendJson, startAdminStub } from "./admin-stub.ts";

/** Every command is started once as a process of its own; of what is tried in many ways, the rest shares one. */
const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  lanthornAlone(args, { environment: { LANTHORN_HOME: temporaryFolder(), ...more } });
const runQuickly = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  lanthorn(args, { environment: { LANTHORN_HOME: temporaryFolder(), ...more } });

test("--version prints the version alone", async () => {
  const { version } = (await import("../../../package.json", { with: { type: "json" } })).default;
  expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  expect(JSON.parse((await run(["--version", "--json"])).stdout)).toEqual({ version });
});

test("help names every command and the exit codes", async () => {
  const { code, stdout, stderr } = await run(["help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const [name, { summary }] of Object.entries(commands)) {
    expect(stdout).toMatch(new RegExp(`^ {2}${name} +${summary}$`, "mu"));
  }
  expect(stdout).toContain("3 no server");
});

describe.each(Object.keys(commands))("help %s", (name) => {
  test("starts with examples that begin with the command itself", async () => {
    const { code, stdout } = await run(["help", name]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Examples:\n {2}lanthorn ${name}`, "u"));
  });
});

test("help of a sub-command shows its own examples only", async () => {
  const { stdout } = await run(["help", "keys", "revoke"]);
  expect(stdout).toMatch(/^Examples:\n {2}lanthorn keys revoke 9f3c/u);
  expect(stdout).not.toContain("keys create jonas");
});

describe("wrong usage ends with exit code 2, and says what helps", () => {
  test.each([
    [["usag"], 'error  "usag" is not a command\nwhy    Did you mean "usage"?\nnext   lanthorn help usage\n'],
    [["frobnicate"], 'error  "frobnicate" is not a command\nnext   lanthorn help\n'],
    [
      ["usage"],
      "error  lanthorn usage needs one of: summary, show, export, reconcile, price, budgets, savings, power, forecast\nnext   lanthorn help usage\n",
    ],
    [["keys", "creat"], "error  Unknown command 'creat'\nwhy    Did you mean create?\nnext   lanthorn help keys\n"],
    [["keys", "create"], "error  Missing required argument 'name'\nnext   lanthorn help keys create\n"],
    [["stop", "--nwo"], "error  Unknown option '--nwo'\nwhy    Did you mean --now?\nnext   lanthorn help stop\n"],
    [
      ["serve", "--port", "http"],
      "error  Option '--port <number>' argument 'http' is invalid. A port is a number from 0 to 65535.\nnext   lanthorn help serve\n",
    ],
    [
      ["usage", "export", "--format", "xml"],
      "error  Option '--format <format>' argument 'xml' is invalid. Allowed choices are csv, jsonl, focus.\nnext   lanthorn help usage export\n",
    ],
    [
      ["usage", "summary", "--from", "2026-02-30"],
      'error  --from is no time: "2026-02-30"\nwhy    A day, 2026-11-01, or a time, 2026-11-01T14:00.\nnext   lanthorn usage summary --from 2026-11-01\n',
    ],
  ])("%j", async (args, stderr) => {
    expect(await runQuickly(args)).toEqual({ code: 2, stdout: "", stderr });
  });
});

test("under --json an error is one JSON object on stderr, and stdout stays empty", async () => {
  const { code, stdout, stderr } = await run(["usag", "--json"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: "usage",
      message: '"usag" is not a command',
      why: 'Did you mean "usage"?',
      next: ["lanthorn help usage"],
    },
  });
});

test("lanthorn alone says that nothing runs, and what to do", async () => {
  expect(await run([])).toEqual({
    code: 0,
    stdout: "lanthorn   no server is running\nnext       lanthorn serve · lanthorn doctor · lanthorn help\n",
    stderr: "",
  });
  expect(JSON.parse((await run(["--json"])).stdout)).toMatchObject({ running: false });
});

test("LANTHORN_URL that is no address is wrong usage", async () => {
  const { code, stderr } = await run(["keys", "list"], { LANTHORN_URL: "192.168.1.20:4747" });
  expect(code).toBe(2);
  expect(stderr).toContain("LANTHORN_URL is not an address");
});

describe("exit codes follow what the server answers", () => {
  test.each([
    [400, "invalid_request", 2],
    [401, "unknown_key", 4],
    [402, "budget_exceeded", 7],
    [403, "forbidden", 4],
    [404, "not_found", 5],
    [429, "queue_full", 6],
    [500, "internal", 1],
    [502, "upstream_error", 8],
    [503, "shutting_down", 6],
  ])("%i %s → %i", async (status, code, exitCode) => {
    const stub = await startAdminStub({
      "GET /admin/keys": (response) =>
        sendJson(response, status, { error: { message: "The box said so.", code, why: "a reason", next: [] } }),
    });
    const outcome = await runQuickly(["keys", "list"], { LANTHORN_URL: stub.url, LANTHORN_API_KEY: "lth_wrong" });
    expect(outcome.code).toBe(exitCode);
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toMatch(/^error {2}The box said so\.$/mu);
  });

  test("nothing listens → 3", async () => {
    const { code, stderr } = await run(["keys", "list"], { LANTHORN_URL: "http://127.0.0.1:9" });
    expect(code).toBe(3);
    expect(stderr).toBe(
      "error  No server answers at http://127.0.0.1:9\nwhy    Nothing listens there.\nnext   lanthorn doctor\n",
    );
  });

  test("something else listens → 1, not a stack", async () => {
    const stub = await startAdminStub({
      "GET /admin/keys": (response) => response.end("<html>hello</html>"),
    });
    const { code, stderr } = await run(["keys", "list"], { LANTHORN_URL: stub.url });
    expect(code).toBe(1);
    expect(stderr).toContain("Is it a Lanthorn, and of this version?");
    expect(stderr).not.toMatch(/\bat .*\.ts/u);
  });
});

describe("streams", () => {
  test("a reader that goes away ends the command quietly", async () => {
    const line = `${JSON.stringify({ id: "req_1" }).padEnd(1000)}\n`;
    const stub = await startAdminStub({
      "GET /admin/usage/export": (response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        const more = () => {
          while (!response.destroyed && response.write(line));
        };
        response.on("drain", more);
        more();
      },
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const child = startLanthorn(["usage", "export", "--format", "jsonl"], { environment });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += String(text);
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((done) => child.once("close", done));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("Ctrl-C ends with 130 and says so", async () => {
    const stub = await startAdminStub({ "GET /admin/keys": () => {} });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const child = startLanthorn(["keys", "list"], { environment });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += String(text);
    });
    const closed = new Promise((done) => child.once("close", done));
    await expect.poll(() => stub.asked.length, { timeout: 30_000 }).toBe(1);
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(stderr).toBe("error  Interrupted\n");
  });

  test("no colour and no cursor codes when nobody watches", async () => {
    const outcomes = await Promise.all([run(["doctor"]), run(["usag"]), run(["stop"])]);
    for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toContain("\u001b");
  });
});

test("only the command that was asked for is loaded: --version, help and the way to serve stay clear of everything slow", async () => {
  // Preloaded into the command: says on stderr, at the end, which modules were resolved.
  const spy = `import { registerHooks } from "node:module";
    const seen = [];
    registerHooks({ resolve: (name, context, next) => { const found = next(name, context); seen.push(found.url); return found; } });
    process.on("exit", () => process.stderr.write(seen.join("\\n")));`;
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(spy)}` };
  for (const args of [["--version"], ["help"], ["help", "serve"]]) {
    const { stderr } = await run(args, environment);
    expect(stderr).toContain("server/cli/main.ts");
    expect(stderr).not.toMatch(/undici|zod|better-sqlite3|node-llama-cpp|express|pino/u);
  }
});

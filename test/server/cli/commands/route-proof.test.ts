/** `lanthorn route calibrate` and `route eval` against a scripted server. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { sendJson, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

const route = {
  alias: "ask",
  mode: "cascade",
  groups: [{ name: "1", strategy: "in-order", targets: [{ target: "engine/small", cooldown: {} }] }],
};

/** "n:0.73" is answered with that confidence; what is surer than 0.7 is right. */
async function stub() {
  return startAdminStub({
    "GET /admin/routes": { routes: [route], targets: [] },
    "POST /admin/routes/ask": (response, { body }) => {
      const { model, prompt } = body as { model: string; prompt: string };
      const confidence = Number(prompt.slice(2));
      const isRight = model === "engine/small" ? confidence >= 0.7 : prompt !== "n:0.005";
      sendJson(response, 200, {
        ...{ requestId: "req_1", target: model, text: isRight ? "yes" : "no", finishReason: "stop", confidence },
        ...{ durationMs: 20, costNanos: 1_000, knownNanos: 1_000, failure: null },
      });
    },
  });
}

function files(lines: readonly object[]) {
  const home = temporaryFolder();
  const file = join(home, "tasks.jsonl");
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  return { home, file };
}

const planted = Array.from({ length: 100 }, (_, index) => ({ prompt: `n:${(index + 0.5) / 100}`, expected: "Yes." }));

test("calibrate finds the planted threshold and writes it where the route keeps it", async () => {
  const { url, asked } = await stub();
  const { home, file } = files(planted);
  const settings = "routes:\n  ask: # ours\n    mode: cascade\n    groups: [engine/small, cloud/big]\n";
  writeFileSync(join(home, "lanthorn.yaml"), settings);
  const environment = { LANTHORN_HOME: home, LANTHORN_URL: url, LANTHORN_API_KEY: "k" };
  const { code, stdout, stderr } = await lanthorn(
    ["route", "calibrate", "ask", "--file", file, "--precision", "1", "--write", "--json"],
    { environment },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const answer = JSON.parse(stdout);
  expect(answer).toMatchObject({ target: "engine/small", tasks: 100, acceptedShare: 0.3, precision: 1, written: true });
  expect(Math.abs(answer.threshold - 0.7)).toBeLessThan(0.014);
  expect(asked.filter((one) => one.url === "/admin/routes/ask")).toHaveLength(100);
  const written = readFileSync(join(home, "lanthorn.yaml"), "utf8");
  expect(written).toContain("# ours");
  expect(written).toMatch(/calibration:\s+engine\/small: 0\.7/u);
});

test("eval compares targets by checks and a command's exit code", async () => {
  const { url } = await stub();
  const { home, file } = files([
    { prompt: "n:0.9", check: { regex: "^yes$" } },
    { prompt: "n:0.1", expected: "yes" },
    {
      prompt: "n:0.005",
      check: { command: [process.execPath, "-e", 'process.stdin.on("data",(t)=>process.exit(String(t)==="yes"?0:3))'] },
    },
  ]);
  const environment = { LANTHORN_HOME: home, LANTHORN_URL: url, LANTHORN_API_KEY: "k" };
  const run = (...more: string[]) =>
    lanthorn(["route", "eval", file, "--targets", "engine/small,cloud/big", ...more], { environment });
  const { code, stdout } = await run("--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    tasks: 3,
    targets: [
      { target: "engine/small", passed: 1, costPerSuccessNanos: 3_000, failures: [{ count: 1 }, { count: 1 }] },
      { target: "cloud/big", passed: 2, costPerSuccessNanos: 1_500, failures: [{ why: "exit code 3", count: 1 }] },
    ],
  });
  const { stdout: words } = await run();
  expect(words).toMatch(/cloud\/big\s+2\/3\s+66\.7 %/u);
  expect(words).toContain("cloud/big failed: 1 exit code 3");
});

test("tasks that an editor of Windows saved are read: a byte order mark, CRLF, empty lines", async () => {
  const { url } = await stub();
  const { home, file } = files([]);
  writeFileSync(file, '\ufeff{"prompt":"n:0.9","expected":"yes"}\r\n\r\n{"prompt":"n:0.8","expected":"yes"}\r\n');
  const environment = { LANTHORN_HOME: home, LANTHORN_URL: url, LANTHORN_API_KEY: "k" };
  const { code, stdout } = await lanthorn(["route", "eval", file, "--targets", "engine/small", "--json"], {
    environment,
  });
  expect([code, JSON.parse(stdout).tasks]).toEqual([0, 2]);
});

test("a line that is no task is told before anything is asked", async () => {
  const { url, asked } = await stub();
  const { home, file } = files([{ prompt: "x" }]);
  const environment = { LANTHORN_HOME: home, LANTHORN_URL: url, LANTHORN_API_KEY: "k" };
  const { code, stderr } = await lanthorn(["route", "eval", file, "--targets", "a"], { environment });
  expect(code).toBe(2);
  expect(stderr).toContain("Line 1");
  expect(asked).toEqual([]);
});

/** `lanthorn provider`: on the data folder while no server runs, against a stand-in vendor. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { startVendor } from "../../../support/vendors/vendor.ts";
import { lanthorn, startLanthorn } from "../run-command.ts";

test("add with a key from standard input, list, test, rm", async () => {
  const secret = "sk-of-a-person-5d41402a";
  const vendor = await startVendor({ wire: "openai", keys: [secret] });
  onTestFinished(() => vendor.stop());
  const home = temporaryFolder();
  const environment = { LANTHORN_HOME: home };
  const run = (...args: string[]) => lanthorn(["provider", ...args], { environment });

  const adding = startLanthorn(
    ["provider", "add", "acme", "--type", "custom", "--base-url", vendor.baseUrl, "--model", "stand-in", "--key-stdin"],
    { environment },
  );
  adding.stdin.end(`${secret}\n`);
  let said = "";
  for (const stream of [adding.stdout, adding.stderr]) stream.on("data", (text) => (said += String(text)));
  expect(await new Promise((done) => adding.once("close", done))).toBe(0);
  expect(said).toContain("Ask for its models as acme/<model>");
  expect(said).toContain("…402a");
  expect(said + readFileSync(join(home, "lanthorn.yaml"), "utf8")).not.toContain(secret);
  expect(vendor.log.connections).toBe(0);

  const [provider] = JSON.parse((await run("list", "--json")).stdout);
  expect(provider).toMatchObject({
    id: "acme",
    state: "ready",
    models: ["acme/stand-in"],
    keys: [{ source: "stored 1" }],
  });
  const tested = await run("test", "acme", "--model", "stand-in");
  expect(tested).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ok {5}models .*\nok {5}chat {4}"stand-in" answers: Hello/),
  });
  vendor.script({ fault: { kind: "status", status: 402, message: "Insufficient balance" } });
  const broke = await run("test", "acme", "--model", "stand-in", "--json");
  expect(broke.code).toBe(8);
  expect(JSON.parse(broke.stdout)).toMatchObject({ ok: false, code: "upstream_quota" });
  expect(tested.stdout + tested.stderr + broke.stdout + broke.stderr).not.toContain(secret);

  expect(await run("rm", "acme")).toMatchObject({ code: 2 });
  expect(await run("rm", "acme", "--yes")).toMatchObject({ code: 0, stdout: "Removed acme and 1 stored key.\n" });
  expect(await run("test", "acme")).toMatchObject({ code: 5 });
  const refused = await run("add", "replicate");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("OpenRouter");
});

/** A box that encrypts, from outside: the command line knows it by its certificate, and wrong files are exit 78. */
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { lanthorn, lanthornAlone } from "../server/cli/run-command.ts";
import { privateAuthority } from "../support/certificates.ts";
import { temporaryFolder } from "../support/real-engine.ts";
import { run, type RunningServer, startServer } from "../support/running-server.ts";

const servers: RunningServer[] = [];
const start = async (...wishes: Parameters<typeof startServer>) => {
  const server = await startServer(...wishes);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

async function folder(): Promise<string> {
  const made = await temporaryFolder();
  onTestFinished(() => made.remove());
  return made.path;
}

const fingerprintOf = (home: string): string => JSON.parse(readFileSync(join(home, "server.json"), "utf8")).fingerprint;

test("S-37 the command line trusts its own box by its certificate, and another one by a fingerprint given to it", async () => {
  const server = await start({ flags: ["--tls"] });
  expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const own = await server.command("--json");
  expect(own).toMatchObject({ code: 0, stderr: "" });
  const fingerprint = fingerprintOf(server.home);
  expect(JSON.parse(own.stdout).box.fingerprint).toBe(fingerprint);
  expect((await server.command("doctor")).stdout).toContain(fingerprint);

  const key = (await server.command("keys", "reset-admin")).stdout.trim();
  const elsewhere = async (given: Record<string, string>, command = lanthorn) =>
    command(["keys", "list", "--json"], {
      environment: {
        LANTHORN_HOME: await folder(),
        LANTHORN_URL: `${server.url}/v1`,
        LANTHORN_API_KEY: key,
        ...given,
      },
    });
  const unknown = await elsewhere({}, lanthornAlone);
  expect(unknown).toMatchObject({ code: 3, stdout: "" });
  expect(JSON.parse(unknown.stderr).error).toMatchObject({ code: "unknown_certificate" });
  const wrong = await elsewhere({
    LANTHORN_FINGERPRINT: fingerprint.replace(/^../, (byte) => (byte === "00" ? "01" : "00")),
  });
  expect(JSON.parse(wrong.stderr).error).toMatchObject({ code: "wrong_certificate" });
  expect(wrong.stderr).toContain(fingerprint);
  expect((await elsewhere({ LANTHORN_FINGERPRINT: fingerprint.toLowerCase().replaceAll(":", "") })).code).toBe(0);
  expect((await elsewhere({ SSL_CERT_FILE: join(server.home, "tls.crt") }, lanthornAlone)).code).toBe(0);
  expect((await elsewhere({ LANTHORN_FINGERPRINT: "AB:CD" })).code).toBe(2);
  const plain = { LANTHORN_FINGERPRINT: fingerprint, LANTHORN_URL: server.url.replace("https", "http") };
  expect((await elsewhere(plain)).code).toBe(2);
});

test("the owner's certificate is served with its name; files that are wrong are exit 78 and a sentence", async () => {
  const home = await folder();
  const { leaf, authority } = await privateAuthority(["box.example"]);
  writeFileSync(join(home, "lanthorn.yaml"), "tls:\n  mode: files\n  cert: mine.crt\n  key: mine.key\n");
  writeFileSync(join(home, "mine.crt"), leaf.cert);
  writeFileSync(join(home, "mine.key"), authority.key);
  const refused = await run(["serve", "--port", "0"], { ...process.env, LANTHORN_HOME: home });
  expect(refused).toMatchObject({ code: 78, stdout: "" });
  expect(refused.stderr).toContain("The key does not belong to the certificate.");

  writeFileSync(join(home, "mine.key"), leaf.key);
  const server = await start({ home });
  const { port } = new URL(server.url);
  const status = await new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path: "/health",
      servername: "box.example",
      ca: authority.cert,
      agent: false,
    };
    request(options, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
  expect((await server.command("--json")).code).toBe(0);
});

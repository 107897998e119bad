/**
 * Two machines on one LAN, as network namespaces: the box announces itself in one; from the other it is found by multicast
 * DNS, its certificate is compared with what was announced, and curl chats with it over TLS. Needs root on Linux, `ip`
 * (Debian: iproute2), curl and openssl; without them it is listed as skipped.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { bin } from "../support/running-server.ts";

const box = `lth-box-${process.pid}`;
const visitor = `lth-guest-${process.pid}`;
const boxAddress = "10.213.77.1";
const key = "chosen-admin-key-of-the-test";

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function call(program: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}, input = ""): Outcome {
  return spawnSync(program, words, { encoding: "utf8", input, env: { ...process.env, ...environment } });
}

function inside(place: string, program: string, words: readonly string[], environment = {}, input = ""): Outcome {
  return call("ip", ["netns", "exec", place, program, ...words], environment, input);
}

/** What is missing to make two machines of one; null: nothing. */
function missing(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  for (const [program, flag] of Object.entries({ ip: "-V", curl: "--version", openssl: "version" })) {
    if (call(program, [flag]).status !== 0) return `needs ${program} (Debian: apt-get install iproute2 curl openssl)`;
  }
  const probe = call("ip", ["netns", "add", box]);
  if (probe.status !== 0) return `no right to make a network namespace: ${probe.stderr.trim()}`;
  call("ip", ["netns", "del", box]);
  return null;
}

/** Two namespaces, one cable. */
function makeLan(): void {
  onTestFinished(() => {
    for (const place of [box, visitor]) call("ip", ["netns", "del", place]);
  });
  const [near, far] = [`lb${process.pid}`, `lg${process.pid}`];
  const steps = [
    ["netns", "add", box],
    ["netns", "add", visitor],
    ["link", "add", near, "netns", box, "type", "veth", "peer", "name", far, "netns", visitor],
    ["-n", box, "addr", "add", `${boxAddress}/24`, "dev", near],
    ["-n", visitor, "addr", "add", "10.213.77.2/24", "dev", far],
    ...[box, visitor].map((place) => ["-n", place, "link", "set", "lo", "up"]),
    ["-n", box, "link", "set", near, "up"],
    ["-n", visitor, "link", "set", far, "up"],
  ];
  for (const step of steps) expect(call("ip", step), step.join(" ")).toMatchObject({ status: 0 });
}

async function startBox(home: string): Promise<ChildProcess> {
  const words = ["netns", "exec", box, process.execPath, bin, "serve", "--lan", "--tls", "--ready-json"];
  const environment = {
    ...process.env,
    LANTHORN_HOME: home,
    LANTHORN_ADMIN_KEY: key,
    LANTHORN_ENGINE_THREADS: "1",
    // A test may run in a container, where the box would say nothing by itself.
    LANTHORN_ANNOUNCE: "on",
  };
  const server = spawn("ip", words, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void server.kill("SIGKILL"));
  if (server.stdout === null) throw new Error("no stdout");
  await once(createInterface({ input: server.stdout }), "line");
  return server;
}

test("curl over TLS from another network namespace to a box found by mDNS", async ({ skip }) => {
  const reason = missing();
  if (reason !== null) skip(reason);
  const folder = mkdtempSync(join(tmpdir(), "lanthorn-lan-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  makeLan();
  const server = await startBox(join(folder, "box"));

  const guest = { LANTHORN_HOME: join(folder, "guest"), LANTHORN_API_KEY: key };
  const find = () => {
    const words = [bin, "fleet", "find", "--json", "--timeout", "4"];
    const outcome = inside(visitor, process.execPath, words, guest);
    expect(outcome).toMatchObject({ status: 0, stderr: "" });
    return JSON.parse(outcome.stdout);
  };
  const found = find();
  expect(found).toEqual([
    expect.objectContaining({
      url: `https://${boxAddress}:4747`,
      keyNeeded: true,
      here: false,
      version: expect.any(String),
    }),
  ]);
  const [{ url, fingerprint }] = found;
  console.log(`found ${url} with SHA-256 ${fingerprint}`);

  // The certificate as any stranger gets it, compared with what was announced, and then trusted.
  const shown = inside(visitor, "openssl", ["s_client", "-connect", new URL(url).host]).stdout;
  const pem = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(shown)?.[0] ?? "";
  expect(new X509Certificate(pem).fingerprint256).toBe(fingerprint);
  const certificate = join(folder, "lanthorn.crt");
  writeFileSync(certificate, pem);
  const chat = JSON.stringify({ model: "lanthorn-demo", messages: [{ role: "user", content: "hello" }] });
  const curl = (...words: string[]) =>
    inside(visitor, "curl", [
      "-sS",
      "-w",
      "\n%{http_version} %{http_code} %{ssl_verify_result}",
      ...words,
      "-d",
      chat,
      "-H",
      "content-type: application/json",
      "-H",
      `authorization: Bearer ${key}`,
      `${url}/v1/chat/completions`,
    ]);
  const answer = curl("--cacert", certificate);
  console.log(answer.stdout);
  expect(answer).toMatchObject({ status: 0, stderr: "" });
  expect(answer.stdout).toContain("demo model of Lanthorn");
  expect(answer.stdout).toMatch(/\n1\.1 200 0$/);
  // 60: the certificate is not known.
  expect(curl().status).toBe(60);

  const command = (LANTHORN_FINGERPRINT: string) =>
    inside(visitor, process.execPath, [bin, "--json"], { ...guest, LANTHORN_URL: url, LANTHORN_FINGERPRINT });
  expect(JSON.parse(command(fingerprint).stdout)).toMatchObject({ running: true, url });
  expect(command(fingerprint.replace(/^../, (byte: string) => (byte === "00" ? "01" : "00"))).status).toBe(3);

  const gone = once(server, "exit");
  server.kill("SIGTERM");
  expect(await gone).toEqual([0, null]);
  expect(find()).toEqual([]);
});

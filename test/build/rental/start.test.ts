/**
 * What a rented machine runs at each start, under bash, with the environment that its market would give it: the whole server with the
 * demo model once, a stand-in server for what goes wrong.
 */
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { callFor } from "../../../build/rental/stop-machine.js";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { start } from "../programs.ts";
import { checkout } from "../tree.ts";

const script = join(checkout, "build/rental/start.sh");
const bash = process.platform === "win32" ? test.skip : test;

/** Nothing of this machine but its programs. `LANTHORN_RUN_AS=root`: as whoever runs the tests. */
function rented(home: string, more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: home,
    LANTHORN_HOME: home,
    LANTHORN_RUN_AS: "root",
    LANTHORN_FIRST_PAUSE_S: "0",
    ...more,
  };
}

/** A program folder whose server is a shell script; it says what it was told and does as `body` says. */
function standIn(body: string): string {
  const folder = temporaryFolder();
  for (const path of ["build/lanthorn.js", "node/bin/node"]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "");
  }
  symlinkSync(join(checkout, "build/rental"), join(folder, "build/rental"));
  const server = `#!/usr/bin/env bash
    if [[ $1 == *stop-machine.js ]]; then exec ${process.execPath} "$@"; fi
    echo "told $*"
    echo "url=\${LANTHORN_PUBLIC_URL-none} hosts=\${LANTHORN_HOSTS-none} tls=\${LANTHORN_TLS_MODE-none} kv=$LANTHORN_ENGINE_KV_STORE market=\${LANTHORN_RENTAL_MARKET-none}"
    echo "grace=$LANTHORN_SHUTDOWN_GRACE_MS headless=$LANTHORN_HEADLESS host=$LANTHORN_HOST left=\${LANTHORN_PROGRAM-}\${LANTHORN_RUN_AS-}"
    count=$(($(cat "$LANTHORN_HOME/count" 2>/dev/null || echo 0) + 1)); echo $count > "$LANTHORN_HOME/count"
    ${body}`;
  writeFileSync(join(folder, "node/bin/node"), server);
  chmodSync(join(folder, "node/bin/node"), 0o755);
  return folder;
}

const vast = {
  CONTAINER_ID: "4711",
  VAST_CONTAINERLABEL: "C.4711",
  CONTAINER_API_KEY: "vast-scoped-key",
  PUBLIC_IPADDR: "203.0.113.7",
};
const runpod = { RUNPOD_POD_ID: "abc123xyz", RUNPOD_API_KEY: "runpod-scoped-key" };

describe("the market's address", () => {
  const address = async (more: Readonly<Record<string, string>>, settings = "") => {
    const home = temporaryFolder();
    if (settings !== "") writeFileSync(join(home, "lanthorn.yaml"), settings);
    const { stdout, stderr, code } = await start(
      "bash",
      [script],
      rented(home, { LANTHORN_PROGRAM: standIn("exit 0"), ...more }),
    ).ended;
    expect(code, stderr).toBe(0);
    return { told: /url=.*/.exec(stdout)?.[0], stderr, stdout };
  };

  bash.each([
    [
      "Vast.ai's mapped port, encrypted by the server itself",
      { ...vast, VAST_TCP_PORT_4747: "40123" },
      "url=https://203.0.113.7:40123 hosts=203.0.113.7 tls=self-signed kv=ram market=vast",
    ],
    [
      "another port, IPv6, further names, and TLS off by the owner's wish",
      {
        ...vast,
        PUBLIC_IPADDR: "2001:db8::7",
        LANTHORN_PORT: "5000",
        VAST_TCP_PORT_5000: "40124",
        LANTHORN_HOSTS: "box.example",
        LANTHORN_TLS_MODE: "off",
      },
      "url=http://[2001:db8::7]:40124 hosts=box.example,2001:db8::7 tls=off kv=ram market=vast",
    ],
    [
      "RunPod's proxy, which encrypts",
      runpod,
      "url=https://abc123xyz-4747.proxy.runpod.net hosts=abc123xyz-4747.proxy.runpod.net tls=none kv=ram market=runpod",
    ],
    [
      "RunPod's mapped TCP port",
      { ...runpod, RUNPOD_PUBLIC_IP: "203.0.113.9", RUNPOD_TCP_PORT_4747: "10042" },
      "url=https://203.0.113.9:10042 hosts=203.0.113.9 tls=self-signed kv=ram market=runpod",
    ],
    [
      "the owner's own address before all",
      {
        ...vast,
        VAST_TCP_PORT_4747: "40123",
        LANTHORN_PUBLIC_URL: "https://gpu.example",
        LANTHORN_ENGINE_KV_STORE: "disk",
      },
      "url=https://gpu.example hosts=203.0.113.7 tls=self-signed kv=disk market=vast",
    ],
    ["no market at all", {}, "url=none hosts=none tls=none kv=ram market=none"],
    ["a pod's name that is none", { RUNPOD_POD_ID: "a b;c" }, "url=none hosts=none tls=none kv=ram market=runpod"],
  ])("%s", async (_, environment, told) => {
    expect((await address(environment)).told).toBe(told);
  });

  bash("says what to do where no port is mapped", async () => {
    const { told, stderr } = await address(vast);
    expect(told).toContain("url=none");
    expect(stderr).toContain("Vast.ai maps no port to 4747 here: add -p 4747:4747 to the template's options.");
  });

  bash("leaves encryption to the settings file where that says something", async () => {
    expect((await address({ ...vast, VAST_TCP_PORT_4747: "40123" }, "tls:\n  mode: files\n")).told).toContain(
      "tls=none",
    );
  });

  bash("its own words do not reach the server, what a rented machine needs does", async () => {
    const { stdout } = await address(runpod);
    expect(stdout).toContain("grace=3000 headless=true host=0.0.0.0 left=\n");
    expect(stdout).toMatch(/told \S+build\/lanthorn\.js serve --headless --first-key-file \S+\/admin\.key\n/);
  });
});

describe("a server that ends", () => {
  const run = (home: string, program: string, more: Readonly<Record<string, string>> = {}) =>
    start(
      "bash",
      [script],
      rented(home, { LANTHORN_PROGRAM: program, LANTHORN_STOP_WHEN_BROKEN: "false", ...vast, ...more }),
    );

  bash("with a crash is started again, later each time, and its next good end is the end", async () => {
    const home = temporaryFolder();
    const { code, stderr } = await run(home, standIn("(( count < 3 )) && exit 139; exit 0")).ended;
    expect(code).toBe(0);
    expect(stderr.match(/ended with exit 139; starting it again/g)).toHaveLength(2);
    expect(stderr).toContain("(try 3 of 10)");
  });

  bash("that cannot start as asked is not tried again", async () => {
    const home = temporaryFolder();
    const { code, stderr } = await run(home, standIn("exit 78")).ended;
    expect(code).toBe(78);
    expect(readFileSync(join(home, "count"), "utf8")).toBe("1\n");
    expect(stderr).toContain("cannot start as asked (exit 78)");
  });

  bash("SIGTERM goes to the server, whose own status is the script's, and nothing is started again", async () => {
    const home = temporaryFolder();
    const body = `trap 'echo "got TERM"; exit 0' TERM; echo up; while true; do sleep 0.05; done`;
    const running = run(home, standIn(body));
    await running.printed("up\n");
    running.kill("SIGTERM");
    const { code, stdout } = await running.ended;
    expect({ code, count: readFileSync(join(home, "count"), "utf8") }).toEqual({ code: 0, count: "1\n" });
    expect(stdout).toContain("got TERM");
  });

  bash("SIGTERM while it waits for the next try ends it at once", async () => {
    const environment = rented(temporaryFolder(), {
      LANTHORN_PROGRAM: standIn("exit 1"),
      LANTHORN_FIRST_PAUSE_S: "50",
    });
    const running = start("bash", ["-c", 'exec bash "$0" 2>&1', script], environment);
    await running.printed("starting it again in 50 s");
    const startedMs = performance.now();
    running.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(25_000);
  });
});

describe("a machine on which nothing can be served", () => {
  interface Asked {
    readonly method: string;
    readonly path: string;
    readonly key: string;
    readonly body: unknown;
  }

  /** A market that answers with these statuses, one after the other. */
  async function market(...statuses: readonly number[]): Promise<{ url: string; asked: readonly Asked[] }> {
    const asked: Asked[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      asked.push({
        method: request.method ?? "",
        path: request.url ?? "",
        key: request.headers.authorization ?? "",
        body: JSON.parse(Buffer.concat(chunks).toString()),
      });
      response.writeHead(statuses[asked.length - 1] ?? 200).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  bash("is stopped with the key it has for itself, which stands in no output", async () => {
    const { url, asked } = await market(429, 200);
    const environment = rented(temporaryFolder(), {
      LANTHORN_PROGRAM: standIn("exit 1"),
      LANTHORN_MARKET_URL: url,
      ...vast,
    });
    const { code, stdout, stderr } = await start("bash", [script], { ...environment, LANTHORN_FIRST_PAUSE_S: "0" })
      .ended;
    expect(code).toBe(1);
    const call = { method: "PUT", path: "/instances/4711/", key: "Bearer vast-scoped-key", body: { state: "stopped" } };
    expect(asked).toEqual([call, call]);
    expect(stderr).toContain("The server ended 10 times in a row, last with exit 1.");
    expect(stderr).toContain("it answered 429");
    expect(stderr).toContain("stops this machine. Its disk is kept, and paid for");
    expect(stdout + stderr).not.toContain("scoped-key");
  });

  test("how each market is asked, and that none is where the machine is not known", () => {
    expect(callFor("runpod", runpod)).toEqual({
      method: "POST",
      url: "https://api.runpod.io/v2/pods/abc123xyz/action",
      key: "runpod-scoped-key",
      body: { action: "stop" },
    });
    expect(callFor("vast", vast)?.url).toBe("https://console.vast.ai/api/v0/instances/4711/");
    expect(callFor("vast", { ...vast, CONTAINER_ID: "../users" })).toBeNull();
    expect(callFor("runpod", { ...runpod, RUNPOD_POD_ID: "a/b" })).toBeNull();
    expect(callFor("vast", { CONTAINER_ID: "4711" })).toBeNull();
    expect(callFor("static", vast)).toBeNull();
  });
});

describe("the whole server", () => {
  bash(
    "serves with a key of its own, in a file for its owner only and in no output, and keeps it at the next start",
    async () => {
      const home = join(temporaryFolder(), "not there yet");
      const environment = rented(home, {
        ...runpod,
        LANTHORN_HOST: "127.0.0.1",
        LANTHORN_PORT: "0",
        LANTHORN_ENGINE_THREADS: "1",
        LANTHORN_HARDWARE_SAMPLE_MS: "0",
      });
      const keys: string[] = [];
      for (const round of [1, 2]) {
        const running = start("bash", [script], environment);
        const url = /^Ready\s+(http\S+)/m.exec(await running.printed("next "))?.[1];
        const file = join(home, "admin.key");
        const key = readFileSync(file, "utf8").trim();
        keys.push(key);
        expect(key).toMatch(/^lth_/);
        expect(statSync(file).mode & 0o777).toBe(0o600);
        const chat = (headers: Record<string, string>) =>
          fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json", host: "abc123xyz-0.proxy.runpod.net", ...headers },
            body: JSON.stringify({
              model: "lanthorn-demo",
              messages: [{ role: "user", content: "hi" }],
              max_tokens: 2,
            }),
          });
        expect((await chat({})).status).toBe(401);
        if (round === 1) expect((await chat({ authorization: `Bearer ${key}` })).status).toBe(200);
        running.kill("SIGTERM");
        const { code, stdout, stderr } = await running.ended;
        expect(code, stderr).toBe(0);
        expect(stderr).toContain("public address https://abc123xyz-0.proxy.runpod.net\n");
        expect(stdout + stderr).not.toContain(key);
      }
      expect(keys[1]).toBe(keys[0]);
    },
  );

  bash(
    "a key from the environment is written down for this machine's own commands, and never over one that is there",
    async () => {
      const home = temporaryFolder();
      const run = (key: string) =>
        start("bash", [script], rented(home, { LANTHORN_PROGRAM: standIn("exit 0"), LANTHORN_ADMIN_KEY: key })).ended;
      const first = await run("chosen-at-home-1");
      expect(readFileSync(join(home, "admin.key"), "utf8")).toBe("chosen-at-home-1\n");
      expect(statSync(join(home, "admin.key")).mode & 0o777).toBe(0o600);
      expect(first.stdout + first.stderr).not.toContain("chosen-at-home");
      await run("chosen-at-home-2");
      expect(readFileSync(join(home, "admin.key"), "utf8")).toBe("chosen-at-home-1\n");
    },
  );

  test.skipIf(process.getuid?.() !== 0)("begun as root it hands the disk over and serves as its own user", async () => {
    const top = temporaryFolder();
    chmodSync(top, 0o755);
    const home = join(top, "data");
    mkdirSync(join(home, "models"), { recursive: true });
    const program = standIn('echo "ran as $(id -u):$(id -g) in $HOME"; exit 0');
    chmodSync(program, 0o755);
    const { stdout, stderr } = await start(
      "bash",
      [script],
      rented(home, { LANTHORN_PROGRAM: program, LANTHORN_RUN_AS: "10001:10001" }),
    ).ended;
    expect(stdout, stderr).toContain(`ran as 10001:10001 in ${home}`);
    expect([home, join(home, "models")].map((path) => statSync(path).uid)).toEqual([10001, 10001]);
  });
});

describe("Vast.ai's own entry point before it", () => {
  bash("the server is started behind the start script, which ends", async () => {
    const home = temporaryFolder();
    const log = join(temporaryFolder(), "log");
    // In the place of ../start.sh stands what it stands in: the folder is copied by links.
    const program = standIn('echo "served"; exit 0');
    const environment = rented(home, { LANTHORN_PROGRAM: program, LANTHORN_START_LOG: log });
    const { code, stdout } = await start("bash", [join(checkout, "build/rental/vast/onstart.sh")], environment).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `lanthorn-start: starting; the log is ${log}\n` });
    await expect.poll(() => readFileSync(log, "utf8"), { timeout: 20_000 }).toContain("served");
    expect(readFileSync(log, "utf8")).toContain("market=vast");
  });
});

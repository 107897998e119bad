/** The unit of systemd: what it must say, and what systemd itself says about it where it is there. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { configSchema } from "../../server/config/schema.ts";
import { stopGraceMs } from "../../server/domain/rental/dead-man.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { checkout } from "./tree.ts";

const folder = join(checkout, "build/systemd");
const unit = readFileSync(join(folder, "lanthorn.service"), "utf8");
const has = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" });
const version = Number(/^systemd (\d+)/.exec(has.stdout ?? "")?.[1] ?? 0);

const values = (name: string) => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value]) => value ?? "");

describe("the unit", () => {
  test("leaves V8 its compiler and the service its GPU", () => {
    for (const name of ["MemoryDenyWriteExecute", "PrivateDevices", "PrivateUsers"])
      expect(values(name), name).toEqual([]);
    expect(values("DevicePolicy")).toEqual(["closed"]);
    expect(values("DeviceAllow")).toEqual(["char-nvidia* rw", "char-drm rw", "char-kfd rw"]);
  });

  test("gives a stop the time that it may take, and the signal to the server alone", () => {
    const graceMs = stopGraceMs(configSchema.parse({}).shutdown.graceMs, false);
    // What a drain may take beyond its grace: `backstopMs` of server/main.ts.
    const backstopMs = Number(
      /backstopMs = ([\d_]+)/.exec(readFileSync(join(checkout, "server/main.ts"), "utf8"))?.[1]?.replace("_", ""),
    );
    expect(backstopMs).toBeGreaterThan(0);
    expect(Number(values("TimeoutStopSec")[0]) * 1000).toBeGreaterThan(graceMs + backstopMs);
    expect([values("KillSignal"), values("KillMode")]).toEqual([["SIGTERM"], ["mixed"]]);
  });

  test("is not started again where it cannot start as asked, and not without end", () => {
    expect([values("Restart"), values("RestartPreventExitStatus")]).toEqual([["on-failure"], ["78"]]);
    expect([values("StartLimitIntervalSec"), values("StartLimitBurst")]).toEqual([["600"], ["5"]]);
  });

  test("hands over the master key under the name that the server looks for", () => {
    const name = /credentialName = "([\w-]+)"/.exec(
      readFileSync(join(checkout, "server/platform/master-key.ts"), "utf8"),
    )?.[1];
    expect(values("LoadCredential")).toEqual([`${name}:/etc/lanthorn/master.key`]);
    expect(values("ExecStart")).toEqual([
      "/opt/lanthorn/node/bin/node /opt/lanthorn/build/lanthorn.js serve --headless --first-key-file /var/lib/lanthorn/admin.key",
    ]);
    expect(values("Environment")).toContain("LANTHORN_HOME=/var/lib/lanthorn");
  });
});

describe.skipIf(version < 250)("systemd itself", () => {
  /** The units with a program that is there: systemd looks for it. */
  function units(): string {
    const top = temporaryFolder();
    const program = join(top, "opt/lanthorn/node/bin/node");
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, "#!/bin/sh\n");
    chmodSync(program, 0o755);
    writeFileSync(join(top, "lanthorn.service"), unit.replaceAll("/opt/lanthorn", join(top, "opt/lanthorn")));
    copyFileSync(join(folder, "lanthorn-gpu.service"), join(top, "lanthorn-gpu.service"));
    return top;
  }
  const analyze = (top: string, ...words: readonly string[]) => {
    const env = {
      ...process.env,
      SYSTEMD_UNIT_PATH: `${top}:/lib/systemd/system:/usr/lib/systemd/system`,
      NO_COLOR: "1",
    };
    const { status, stdout, stderr } = spawnSync("systemd-analyze", words, { encoding: "utf8", env });
    return { status, output: stdout + stderr };
  };

  test("finds nothing wrong with either unit, and sees a wrong word", () => {
    const top = units();
    const names = ["lanthorn.service", "lanthorn-gpu.service"].map((name) => join(top, name));
    const { status, output } = analyze(top, "verify", ...names);
    expect({ status, output: output.split("\n").filter((line) => line.includes("lanthorn")) }).toEqual({
      status: 0,
      output: [],
    });
    writeFileSync(join(top, "lanthorn.service"), unit.replace("KillMode=mixed", "KillMode=all"));
    expect(analyze(top, "verify", join(top, "lanthorn.service")).output).toContain("Failed to parse kill mode");
  });

  test("calls the service's exposure OK: at most 2.5 of 10", () => {
    const top = units();
    const judge = (most: number) =>
      analyze(top, "security", "--offline=true", `--threshold=${most}`, join(top, "lanthorn.service"));
    const { status, output } = judge(25);
    expect(output).toMatch(/Overall exposure level for lanthorn\.service: \d\.\d OK/);
    expect(status, output).toBe(0);
    expect(judge(1).status).not.toBe(0);
  });
});

/** `lanthorn doctor`: what it finds, and what it makes of it. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { judgeFree } from "../../../../server/cli/doctor/data-folder.ts";
import { judgeEngine } from "../../../../server/cli/doctor/engine.ts";
import { judgeGpus, judgeMemory } from "../../../../server/cli/doctor/hardware.ts";
import { judgeRentals } from "../../../../server/cli/doctor/rentals.ts";
import { judgeCertificate, judgeOff } from "../../../../server/cli/doctor/tls.ts";
import { judgeNode } from "../../../../server/cli/doctor/node.ts";
import { readHardwareFile } from "../../../../server/hardware/file.ts";
import { machinePicture, recordedMachine } from "../../../support/machines.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { printing, toolsOnPath } from "../../../support/tools-on-path.ts";
import { lanthorn, type Outcome } from "../run-command.ts";

interface Line {
  readonly title: string;
  readonly status: string;
  readonly text: string;
  readonly fix: string | null;
}

function lineOf(outcome: Outcome, title: string): Line | undefined {
  const lines: readonly Line[] = JSON.parse(outcome.stdout);
  return lines.find((line) => line.title === title);
}

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("a healthy installation: every line ok or note, exit 0", async () => {
  const home = temporaryFolder();
  await lanthorn(["keys", "list"], { environment: { LANTHORN_HOME: home } });
  const { code, stdout } = await lanthorn(["doctor"], { environment: { LANTHORN_HOME: home, LANTHORN_PORT: "0" } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok {4}Node {9}24\./mu);
  expect(stdout).toMatch(/^ok {4}Ledger {7}integrity ok, /mu);
  expect(stdout).toMatch(/^(ok {2}|note) {2}Engine {7}llama\.cpp /mu);
  expect(stdout).toMatch(/^0 to fix, \d notes?$/mu);
});

test("several things wrong at once are all found, each with its fix, and the exit code is 1", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "admin.key"), "lth_x", { mode: 0o644 });
  chmodSync(join(home, "admin.key"), 0o644);
  writeFileSync(join(home, "ledger.db"), "this is no database, and long enough to be looked at", { mode: 0o600 });
  const port = await takenPort();
  const environment = { LANTHORN_HOME: home, LANTHORN_PORT: String(port) };
  const outcome = await lanthorn(["doctor", "--json"], { environment });
  expect(outcome).toMatchObject({ code: 1, stderr: "" });
  expect(lineOf(outcome, "Data folder")).toMatchObject({ status: "fail", fix: `chmod 600 ${join(home, "admin.key")}` });
  expect(lineOf(outcome, "Ledger")).toMatchObject({ status: "fail" });
  expect(lineOf(outcome, "Server")).toMatchObject({
    status: "fail",
    text: expect.stringMatching(`^port ${port} on 127.0.0.1 is taken by (another program|.*process ${process.pid})`),
    fix: "lanthorn serve --port 0",
  });
});

test("settings that cannot be read are one finding, and the rest is still looked at", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "lanthorn.yaml"), "prot: 4747\n");
  const outcome = await lanthorn(["doctor", "--json"], { environment: { LANTHORN_HOME: home } });
  expect(outcome.code).toBe(1);
  expect(lineOf(outcome, "Config")).toMatchObject({ status: "fail", text: expect.stringContaining("port") });
  expect(lineOf(outcome, "Server")).toMatchObject({ status: "note" });
  expect(lineOf(outcome, "Engine")?.text).toContain("llama.cpp");
});

test("a data folder that is not there yet is no fault, and is not made", async () => {
  const home = join(temporaryFolder(), "deep", "down");
  const environment = { LANTHORN_HOME: home, LANTHORN_PORT: "0" };
  const outcome = await lanthorn(["doctor", "--json"], { environment });
  expect(outcome.code).toBe(0);
  expect(lineOf(outcome, "Data folder")).toMatchObject({ status: "note" });
  expect(existsSync(join(home, ".."))).toBe(false);
});

test("the machine can be written down, and is read back as it is", async () => {
  const { nvidiaSmi } = await recordedMachine("rtx-3090");
  const text = nvidiaSmi?.answer.outcome === "printed" ? nvidiaSmi.answer.text : "";
  toolsOnPath({ "nvidia-smi": printing(text.trimEnd()) });
  const home = temporaryFolder();
  const options = { environment: { LANTHORN_HOME: home, LANTHORN_PORT: "0" }, workingFolder: home };
  await lanthorn(["doctor", "--save-hardware", "box.json"], options);
  const { gpus, platform } = await readHardwareFile(join(home, "box.json"));
  expect(platform).toBe(process.platform);
  expect(gpus).toMatchObject([{ name: "NVIDIA GeForce RTX 3090", memoryTotalBytes: { value: 24 * 1024 ** 3 } }]);
  const again = await lanthorn(["doctor", "--save-hardware", "box.json"], options);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("box.json cannot be written") });
});

test("a driver that does not work is a fault, with what to do", async () => {
  toolsOnPath({ "nvidia-smi": printing("NVIDIA-SMI has failed because it couldn't communicate with the driver.", 9) });
  const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_PORT: "0" };
  const outcome = await lanthorn(["doctor", "--json"], { environment });
  expect(outcome.code).toBe(1);
  expect(lineOf(outcome, "GPU")).toEqual({
    title: "GPU",
    status: "fail",
    text: expect.stringMatching(/^nvidia-smi fails \(NVIDIA-SMI has failed because/),
    fix: expect.stringContaining("reboot"),
  });
  expect(lineOf(outcome, "Memory")?.text).toMatch(/ free/);
});

test("a server that does not answer at LANTHORN_URL is a fault", async () => {
  const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: "http://127.0.0.1:9" };
  const outcome = await lanthorn(["doctor", "--json"], { environment });
  expect(outcome.code).toBe(1);
  expect(lineOf(outcome, "Server")).toMatchObject({ status: "fail", fix: "unset LANTHORN_URL" });
});

describe("judgements", () => {
  test.each([
    ["24.12.0", "ok"],
    ["24.21.0", "ok"],
    ["24.11.1", "fail"],
    ["20.20.2", "fail"],
    ["25.0.0", "fail"],
  ])("Node %s is %s", (version, status) => expect(judgeNode(version, "linux x64").status).toBe(status));

  test("little room is worth a note", () => {
    expect(judgeFree(1024 ** 3)).toMatchObject({ status: "note", text: "1.0 GiB free" });
    expect(judgeFree(8 * 1024 ** 3)).toMatchObject({ status: "ok" });
  });

  test("the CPU is said aloud, a crash is a fault", () => {
    const build = { cpuThreads: 8, release: "b1234" };
    expect(judgeEngine({ ...build, gpu: "cuda" })).toMatchObject({
      status: "ok",
      text: expect.stringContaining("cuda"),
    });
    expect(judgeEngine({ ...build, gpu: null })).toMatchObject({
      status: "note",
      text: expect.stringContaining("CPU"),
    });
    expect(judgeEngine({ ended: "SIGILL" })).toMatchObject({ status: "fail", text: "its process ended: SIGILL" });
    expect(judgeEngine({ problem: "No prebuilt binary" })).toMatchObject({
      status: "fail",
      text: "No prebuilt binary",
    });
  });
});

describe("hardware", () => {
  test.each([
    [
      "rtx-3090",
      "ok",
      /^NVIDIA GeForce RTX 3090, 24\.0 GiB \(23\.6 GiB free\), driver 580\.95\.05\. .*runs CUDA 13$/,
      null,
    ],
    ["a40-48gb", "ok", /so CUDA 12 computes$/, null],
    ["apple-m3-max", "ok", /Metal$/, null],
    ["no-gpu", "note", /^No GPU was found, so models run on the CPU$/, null],
    ["old-driver", "note", /so Vulkan computes$/, /^update the NVIDIA driver to 580 or newer$/],
    ["driver-failing", "fail", /^nvidia-smi fails/, /^reboot/],
    ["gb10", "note", /no CUDA build of the engine/, null],
    ["intel-arc-a770", "note", /not in use: Raptor Lake-S/, null],
  ])("%s is %s", async (name, status, text, fix) => {
    const finding = judgeGpus(await machinePicture(name));
    expect(finding).toMatchObject({ status, text: expect.stringMatching(text) });
    if (fix === null) expect(finding.fix).toBeNull();
    else expect(finding.fix).toMatch(fix);
  });

  test("little memory matters where models live in it", async () => {
    const judged = async (name: string, freeBytes: number) => {
      const { view } = await machinePicture(name);
      return judgeMemory({ ...view, memory: { ...view.memory, freeBytes: { value: freeBytes, source: "node" } } })
        .status;
    };
    expect(await judged("no-gpu", 2 ** 30)).toBe("note");
    expect(await judged("no-gpu", 2 ** 33)).toBe("ok");
    expect(await judged("rtx-3090", 2 ** 30)).toBe("ok");
    expect(await judged("apple-m3-max", 2 ** 30)).toBe("note");
  });
});

test("encryption: off is worth a note where others can listen, and a certificate is shown by its fingerprint", () => {
  expect(judgeOff("127.0.0.1").status).toBe("ok");
  expect(judgeOff("0.0.0.0")).toMatchObject({ status: "note", fix: expect.stringContaining("lanthorn serve --tls") });
  const certificate = { fingerprint: "AB:CD", notAfterMs: 2000 };
  expect(judgeCertificate(certificate, 1000)).toMatchObject({ status: "ok", text: expect.stringContaining("AB:CD") });
  expect(judgeCertificate(certificate, 2000)).toMatchObject({
    status: "note",
    text: expect.stringContaining("expired"),
  });
  expect(judgeCertificate(null, 0).status).toBe("note");
});

describe("rentals", () => {
  const summary = {
    ...{ perHourNanos: 520_000_000, todayNanos: 0, monthNanos: 0, costing: 2, atMs: 0 },
    ...{ caps: { perDayNanos: null, perMonthNanos: null }, stopped: { leases: 0, perDayNanos: 0 } },
  };
  const orphan = { market: "vast", instanceId: "9", label: null, state: "running", reason: "no lease" } as const;

  test("what costs money is a note, what nobody looks after has to be fixed", () => {
    expect(judgeRentals(summary, { orphans: [], unread: [] })).toEqual({
      ...{ status: "note", text: "2 rentals cost $0.52 an hour", fix: "lanthorn rental list" },
    });
    expect(judgeRentals({ ...summary, costing: 0 }, { orphans: [], unread: [] })).toMatchObject({ status: "ok" });
    expect(judgeRentals(null, { orphans: [], unread: ["vast"] })).toMatchObject({
      ...{ status: "note", text: "nothing is rented; could not be looked at: vast" },
    });
    const found = { orphans: [{ ...orphan, perHourNanos: 500_000_000 }], unread: [] };
    expect(judgeRentals(summary, found)).toMatchObject({
      ...{ status: "fail", text: "1 instance nobody looks after, $0.50 an hour" },
    });
    expect(judgeRentals(summary, { orphans: [{ ...orphan, perHourNanos: null }], unread: [] }).text).toContain(
      "or more",
    );
  });
});

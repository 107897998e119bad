/** Running tools: real processes that print, fail, hang, print without end, or are not there. */
import { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { readNvidiaSmi } from "../../../server/hardware/sources/nvidia-smi.ts";
import { probeHardware } from "../../../server/hardware/probe.ts";
import { askEngine } from "../../../server/hardware/run/ask-engine.ts";
import { askNode, idleFileBytes, memoryWithin } from "../../../server/hardware/run/ask-node.ts";
import { askProcess } from "../../../server/hardware/run/ask-process.ts";
import { askSystem } from "../../../server/hardware/run/ask-system.ts";
import { toolLimits, toolRunner } from "../../../server/hardware/run/run-tool.ts";
import {
  askNvidiaSmi,
  installedEnginePackages,
  machineTools,
  nvidiaSmiProgram,
} from "../../../server/hardware/run/tools.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { recordedMachine } from "../../support/machines.ts";
import { isAlive, until } from "../../support/real-engine.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { printing, toolsOnPath } from "../../support/tools-on-path.ts";

const never = new AbortController().signal;
const quick = { ...toolLimits, limitMs: 300 };

describe("a tool", () => {
  test("that prints", async () => {
    toolsOnPath({ "pretend-smi": 'echo "asked for $1 in $LC_ALL"; echo "and this" >&2' });
    const answer = await toolRunner(systemClock)("pretend-smi", ["memory"], never);
    expect(answer).toMatchObject({ outcome: "printed", text: expect.stringContaining("asked for memory in C\n") });
    expect(answer).toMatchObject({ text: expect.stringContaining("and this\n") });
  });

  test("that fails: its code and its words", async () => {
    toolsOnPath({ "pretend-smi": printing("NVIDIA-SMI has failed", 9) });
    expect(await toolRunner(systemClock)("pretend-smi", [], never)).toEqual({
      outcome: "failed",
      code: 9,
      text: "NVIDIA-SMI has failed\n",
    });
  });

  test("that is not there, may not be run, or is no program", async () => {
    const folder = toolsOnPath({});
    const run = toolRunner(systemClock);
    expect(await run("no-such-smi", [], never)).toEqual({ outcome: "missing" });
    writeFileSync(join(folder, "locked-smi"), "#!/bin/sh\n", { mode: 0o644 });
    expect((await run("locked-smi", [], never)).outcome).toBe("missing");
    writeFileSync(join(folder, "broken-smi"), "\u007fELF, or not", { mode: 0o755 });
    expect((await run("broken-smi", [], never)).outcome).toBe("failed");
  });

  test("that is not there and is called off before Node has said so: no signal goes to anybody", async () => {
    // A process that could not be started has no number, and Node sends the signal to whatever lies in its place: 0 is all of this group.
    const kill = vi.spyOn(ChildProcess.prototype, "kill").mockReturnValue(false);
    const off = new AbortController();
    const answer = toolRunner(systemClock)("no-such-smi", [], off.signal);
    off.abort();
    expect(await answer).toEqual({ outcome: "silent", afterMs: 0 });
    expect(kill).not.toHaveBeenCalled();
    kill.mockRestore();
  });

  test("that hangs is ended after its time", async () => {
    const folder = toolsOnPath({ "pretend-smi": 'echo $$ > "$(dirname "$0")/pid"; exec sleep 600' });
    const startedMs = performance.now();
    expect(await toolRunner(systemClock, quick)("pretend-smi", [], never)).toEqual({ outcome: "silent", afterMs: 300 });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    await until("it is gone", () => !isAlive(pid));
  });

  test("that prints without end is ended, and little of it is kept", async () => {
    toolsOnPath({ "pretend-smi": "exec head -c 100000000 /dev/zero" });
    const before = process.memoryUsage.rss();
    expect(await toolRunner(systemClock)("pretend-smi", [], never)).toEqual({ outcome: "too-much" });
    expect(process.memoryUsage.rss() - before).toBeLessThan(50 * 2 ** 20);
  });

  test("is not started a second time while the first does not end", async () => {
    const folder = toolsOnPath({ "pretend-smi": 'echo x >> "$(dirname "$0")/starts"; exec sleep 600' });
    const ending = new AbortController();
    const run = toolRunner(systemClock);
    const first = run("pretend-smi", [], ending.signal);
    expect(await run("pretend-smi", [], never)).toEqual({ outcome: "silent", afterMs: toolLimits.limitMs });
    await until("it has started", () => {
      try {
        return readFileSync(join(folder, "starts"), "utf8") === "x\n";
      } catch {
        return false;
      }
    });
    ending.abort();
    expect((await first).outcome).toBe("silent");
    expect(await run("pretend-smi", [], ending.signal)).toEqual({ outcome: "silent", afterMs: 0 });
  });
});

describe("nvidia-smi", () => {
  test("an older driver is asked again without the field it refuses", async () => {
    const { nvidiaSmi } = await recordedMachine("old-driver");
    const text = nvidiaSmi?.answer.outcome === "printed" ? nvidiaSmi.answer.text : "";
    toolsOnPath({
      "nvidia-smi": `case "$1" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; esac\n${printing(text)}`,
    });
    const said = await askNvidiaSmi(toolRunner(systemClock), never);
    expect(said.fields).toEqual(nvidiaSmi?.fields);
    expect(readNvidiaSmi(said).gpus).toMatchObject([{ name: "NVIDIA GeForce RTX 2080 Ti", computeCapability: null }]);
  });

  test("one that refuses everything is not asked for ever", async () => {
    const folder = toolsOnPath({
      "nvidia-smi": `echo x >> "$(dirname "$0")/asked"; field=$(echo "$1" | sed 's/.*=//; s/,.*//'); echo "Field \\"$field\\" is not a valid field to query."; exit 2`,
    });
    const said = await askNvidiaSmi(toolRunner(systemClock), never);
    expect(said.answer.outcome).toBe("failed");
    expect(readFileSync(join(folder, "asked"), "utf8").length / 2).toBeLessThanOrEqual(5);
  });

  test("on Windows it is taken from the system's own folder", () => {
    expect(nvidiaSmiProgram("win32", { SystemRoot: "C:\\Windows" })).toMatch(/System32.nvidia-smi\.exe$/);
    expect(nvidiaSmiProgram("linux", {})).toBe("nvidia-smi");
  });
});

describe("processes of our own", () => {
  test("the engine says what it computes on", async () => {
    const answer = await askEngine(systemClock, never);
    expect(answer).toMatchObject({
      cpuThreads: expect.any(Number),
      release: expect.any(String),
      devices: expect.any(Array),
    });
  });

  test("systeminformation says what processor this is, and nothing about whose", async () => {
    const answer = await askSystem(systemClock, never);
    expect(answer?.cpu).toMatchObject({ cores: expect.any(Number) });
    expect(Object.keys(answer ?? {}).sort()).toEqual(["controllers", "cpu", "fileSystems", "mem"]);
    expect(JSON.stringify(answer)).not.toMatch(/serial|uuid|hostname|fqdn/i);
  });

  test("one that hangs, crashes or says too much ends within its limits", async () => {
    const folder = temporaryFolder();
    const started = (name: string, code: string, limitMs = 30_000) => {
      writeFileSync(join(folder, name), code);
      return askProcess(join(folder, name), { clock: systemClock, limitMs, signal: never });
    };
    expect(await started("hangs.mjs", "process.send(1); setInterval(() => {}, 1000)", 1_500)).toMatchObject({
      ended: "no answer within 2 s",
    });
    expect(
      await started("crashes.mjs", "process.send({ a: 1 }, () => { console.error('oh'); process.abort(); })"),
    ).toEqual({
      messages: [{ a: 1 }],
      ended: expect.stringMatching(/^SIG(ABRT|SEGV)/),
    });
    expect(await started("talks.mjs", "setInterval(() => process.send(1), 1)")).toMatchObject({
      ended: "it said too much",
    });
  });

  test("none is started for somebody who has left", async () => {
    const gone = AbortSignal.abort();
    expect(await askProcess("/no/such/module", { clock: systemClock, limitMs: 1, signal: gone })).toEqual({
      messages: [],
      ended: "it was stopped",
    });
  });
});

test("Node knows memory and the disk, also of a folder that is not there yet", async () => {
  const answer = await askNode(join(temporaryFolder(), "deep", "down"), systemClock);
  const { totalMemoryBytes, freeMemoryBytes, diskTotalBytes, diskFreeBytes } = answer;
  expect(totalMemoryBytes).toBeGreaterThanOrEqual(Number(freeMemoryBytes));
  expect(diskTotalBytes).toBeGreaterThanOrEqual(Number(diskFreeBytes));
  expect(diskFreeBytes).toBeGreaterThan(0);
});

describe("memory within a container's limit", () => {
  const gibibyte = 2 ** 30;
  const machine = { totalBytes: 256 * gibibyte, freeBytes: 200 * gibibyte };

  test("files that were read are as good as free", () => {
    const facts = { ...machine, limitBytes: 50 * gibibyte, limitFreeBytes: gibibyte, idleFileBytes: 19 * gibibyte };
    expect(memoryWithin(facts)).toEqual({ totalBytes: 50 * gibibyte, freeBytes: 20 * gibibyte });
  });

  test("the machine's own shortage counts too, and no limit is no limit", () => {
    const facts = { ...machine, limitBytes: 50 * gibibyte, limitFreeBytes: 40 * gibibyte, idleFileBytes: 0 };
    expect(memoryWithin({ ...facts, freeBytes: gibibyte }).freeBytes).toBe(gibibyte);
    for (const limitBytes of [0, 2 ** 64]) expect(memoryWithin({ ...facts, limitBytes })).toEqual(machine);
  });

  test("the kernel's account is found in both of its versions", () => {
    const written = (files: Readonly<Record<string, string>>) => {
      const root = temporaryFolder();
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, name)), { recursive: true });
        writeFileSync(join(root, name), text);
      }
      return idleFileBytes(root);
    };
    const newer = { "proc/self/cgroup": "0::/system.slice/lanthorn.service\n" };
    const stat = "anon 5\nfile 9\ninactive_file 4096\nactive_file 7\n";
    expect(written({ ...newer, "sys/fs/cgroup/system.slice/lanthorn.service/memory.stat": stat })).toBe(4_096);
    expect(written({ ...newer, "sys/fs/cgroup/memory.stat": stat })).toBe(4_096);
    const older = { "proc/self/cgroup": "12:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n" };
    expect(written({ ...older, "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\n".replace(/^/, "total_") })).toBe(
      1,
    );
    expect(written({})).toBe(0);
  });
});

test("the engine's packages are found without loading them", () => {
  expect(installedEnginePackages()).toContain(`${process.platform}-${process.arch}`);
});

test("this machine with a card whose tools are on the PATH is that machine", async () => {
  const { nvidiaSmi, engine } = await recordedMachine("rtx-3090");
  const text = nvidiaSmi?.answer.outcome === "printed" ? nvidiaSmi.answer.text : "";
  toolsOnPath({ "nvidia-smi": printing(text.trimEnd()), "rocm-smi": printing("not today", 1) });
  const tools = { ...machineTools(systemClock), engine: async () => engine ?? { ended: "" } };
  const view = await probeHardware({ modelsFolder: temporaryFolder(), tools });
  expect(view).toMatchObject({
    gpus: [{ name: "NVIDIA GeForce RTX 3090", powerDrawWatts: { value: 23.61 } }],
    engine: { gpu: "cuda-13" },
    memory: { totalBytes: { source: "node" } },
  });
});

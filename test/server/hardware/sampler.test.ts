/** The background looks: when which tools are asked, what stays at hand, and what happens when a card goes. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { HardwareView } from "../../../server/domain/hardware.ts";
import {
  type HardwareSampler,
  hasSlept,
  type SamplerOptions,
  startHardwareSampler,
} from "../../../server/hardware/sampler.ts";
import type { Recording } from "../../../server/hardware/recording.ts";
import { engineOnCpu, type PlayedTools, playedTools, recordedMachine, withoutCard } from "../../support/machines.ts";
import { manualClock, type ManualClock } from "../../support/manual-clock.ts";
import { recordedLog, type RecordedLog } from "../../support/recorded-log.ts";

const sampleMs = 10_000;

interface Box {
  readonly sampler: HardwareSampler;
  readonly tools: PlayedTools;
  readonly clock: ManualClock;
  readonly log: RecordedLog;
  readonly changes: readonly HardwareView[];
  /** Lets time pass and the look that is due come to its end. */
  pass(ms: number): Promise<void>;
}

async function box(machine: Recording, options: Partial<SamplerOptions> = {}): Promise<Box> {
  const clock = manualClock();
  const log = recordedLog();
  const tools = playedTools(machine);
  const changes: HardwareView[] = [];
  const sampler = startHardwareSampler({
    modelsFolder: "/srv/models",
    sampleMs,
    whenGpuLost: "error",
    clock,
    log,
    tools,
    onChange: (view) => changes.push(view),
    ...options,
  });
  onTestFinished(() => sampler.stop());
  await sampler.looked;
  // A look is a chain of promises without timers: a turn of the event loop ends it.
  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
  await settle();
  return {
    sampler,
    tools,
    clock,
    log,
    changes,
    pass: async (ms) => {
      clock.advance(ms);
      await settle();
      await settle();
    },
  };
}

const machine = await recordedMachine("rtx-3090");

function withPower(watts: string): Recording {
  const said = machine.nvidiaSmi;
  if (said?.answer.outcome !== "printed") throw new Error("it printed");
  return {
    ...machine,
    nvidiaSmi: { ...said, answer: { ...said.answer, text: said.answer.text.replace("23.61", watts) } },
  };
}

test("everything once at the start, then only what changes", async () => {
  const { tools, sampler, pass, changes } = await box(machine);
  expect(tools.asked).toEqual({ nvidiaSmi: 1, rocmSmi: 1, engine: 1, systeminformation: 1, node: 1 });
  expect(sampler.view().gpus[0]?.powerDrawWatts).toEqual({ value: 23.61, source: "nvidia-smi" });
  tools.now = withPower("312.40");
  await pass(sampleMs);
  // ROCm's tool was missing: it is not looked for again.
  expect(tools.asked).toEqual({ nvidiaSmi: 2, rocmSmi: 1, engine: 1, systeminformation: 1, node: 2 });
  expect(sampler.view().gpus[0]?.powerDrawWatts).toEqual({ value: 312.4, source: "nvidia-smi" });
  expect(changes).toHaveLength(2);
  await pass(sampleMs);
  expect(changes).toHaveLength(2);
  expect(sampler.view().sampledAtMs).toBe(1_700_000_020_000);
});

test("before the first look there is a view, and it claims nothing", async () => {
  const clock = manualClock();
  const never = new Promise<never>(() => {});
  const tools = { ...playedTools(machine), nvidiaSmi: () => never };
  const sampler = startHardwareSampler({
    modelsFolder: "/",
    sampleMs,
    whenGpuLost: "error",
    clock,
    log: recordedLog(),
    tools,
    onChange: () => {},
  });
  expect(sampler.view()).toMatchObject({
    gpus: [],
    engine: { gpu: "cpu", reason: "The hardware is being looked at for the first time." },
    memory: { totalBytes: { source: "node" } },
  });
  expect([sampler.isPromised(), sampler.lost(1)]).toEqual([false, null]);
  // One look at a time: nobody starts a second one beside a first that hangs.
  clock.advance(10 * sampleMs);
  sampler.missed();
  expect(tools.asked.rocmSmi).toBe(1);
});

test("`sampleMs: 0` asks nothing, and says so", async () => {
  const { tools, sampler, pass } = await box(machine, { sampleMs: 0 });
  await pass(86_400_000);
  sampler.missed();
  expect(Object.values(tools.asked)).toEqual([0, 0, 0, 0, 0]);
  expect(sampler.view().engine.reason).toMatch(/hardware\.sampleMs is 0/);
});

test("everything is looked at again now and then, sooner where no vendor's tool answers", async () => {
  const withTool = await box(machine);
  for (let at = 0; at < 181; at += 1) await withTool.pass(sampleMs);
  expect(withTool.tools.asked.engine).toBe(2);
  const without = await box(await recordedMachine("intel-arc-a770"));
  for (let at = 0; at < 31; at += 1) await without.pass(sampleMs);
  expect(without.tools.asked.engine).toBe(2);
});

test("a tool that breaks costs one look, and what was seen stays at hand", async () => {
  const { tools, sampler, pass, log } = await box(machine);
  const { nvidiaSmi } = tools;
  tools.nvidiaSmi = () => Promise.reject(new Error("broken"));
  await pass(sampleMs);
  expect(log.lines).toContain("error: the hardware could not be looked at");
  expect(sampler.view()).toMatchObject({ sampledAtMs: 1_700_000_000_000, gpus: [{ state: "present" }] });
  tools.nvidiaSmi = nvidiaSmi;
  await pass(sampleMs);
  expect(sampler.view().sampledAtMs).toBe(1_700_000_020_000);
});

test("a GPU that is lost is refused with its reason, asked after, and served again when the engine computes on it", async () => {
  const { tools, sampler, pass, log, changes } = await box(machine);
  expect(sampler.isPromised()).toBe(true);
  tools.now = withoutCard(machine);
  await pass(sampleMs);
  expect(sampler.lost(1)).toEqual({
    reason: "its GPU is lost: NVIDIA GeForce RTX 3090 does not answer any more (nvidia-smi says that it is lost)",
    retryAfterMs: 2_000,
  });
  expect(sampler.view()).toMatchObject({ gpus: [{ state: "lost" }], engine: { gpu: "cuda-13" } });
  expect(changes.at(-1)).toMatchObject({ gpus: [{ state: "lost" }] });
  // While the tool complains the engine is not even tried.
  const looks = tools.asked.nvidiaSmi;
  await pass(2_000);
  await pass(4_000);
  expect([tools.asked.nvidiaSmi - looks, tools.asked.engine]).toEqual([2, 1]);
  // Listed again, but CUDA does not come up: still lost.
  tools.now = { ...machine, engine: engineOnCpu };
  await pass(8_000);
  expect([tools.asked.engine, sampler.lost(1)?.reason]).toEqual([
    2,
    expect.stringContaining("its GPU is lost: NVIDIA GeForce RTX 3090"),
  ]);
  tools.now = machine;
  await pass(60_000);
  expect([sampler.lost(1), sampler.view().gpus[0]?.state]).toEqual([null, "present"]);
  expect(log.lines.filter((line) => line.includes("GPU "))).toEqual([
    "warn: GPU lost: NVIDIA GeForce RTX 3090 does not answer any more (nvidia-smi says that it is lost)",
    "info: GPU back: NVIDIA GeForce RTX 3090",
  ]);
});

test("a driver that begins to work is noticed without a restart", async () => {
  const failing = await recordedMachine("driver-failing");
  const { tools, sampler, pass } = await box(failing);
  expect([sampler.view().engine.gpu, sampler.isPromised()]).toEqual(["cpu", false]);
  tools.now = machine;
  await pass(sampleMs);
  expect([sampler.view().engine.gpu, sampler.isPromised(), tools.asked.engine]).toEqual(["cuda-13", true, 2]);
});

test("whoever prefers the CPU to an error says so, and gets it", async () => {
  const { tools, sampler, pass } = await box(machine, { whenGpuLost: "cpu" });
  tools.now = withoutCard(machine);
  await pass(sampleMs);
  expect([sampler.isPromised(), sampler.lost(1), sampler.view().gpus[0]?.state]).toEqual([false, null, "lost"]);
});

test("a worker that missed its GPU has everything looked at at once, once", async () => {
  const { tools, sampler, pass } = await box(machine);
  tools.now = { ...machine, engine: engineOnCpu };
  sampler.missed();
  sampler.missed();
  await pass(0);
  expect([tools.asked.engine, sampler.view().gpus[0]?.state]).toEqual([2, "lost"]);
});

describe("sleep", () => {
  const at = (wallMs: number, monotonicMs: number) => ({ wallMs, monotonicMs });

  test("shows in the clocks, whichever of them stood still", () => {
    expect(hasSlept(at(0, 0), at(10_000, 10_000), 10_000)).toBe(false);
    expect(hasSlept(at(0, 0), at(14_000, 14_000), 10_000)).toBe(false);
    expect(hasSlept(at(0, 0), at(3_600_000, 10_000), 10_000)).toBe(true);
    expect(hasSlept(at(0, 0), at(3_600_000, 3_600_000), 10_000)).toBe(true);
    // A clock that is set back is no sleep.
    expect(hasSlept(at(3_600_000, 0), at(10_000, 10_000), 10_000)).toBe(false);
  });

  test("after it everything is looked at anew: the tool lists a card that CUDA no longer reaches", async () => {
    let sleptMs = 0;
    const manual = manualClock();
    const clock = { ...manual, now: () => manual.now() + sleptMs };
    const tools = playedTools(machine);
    const log = recordedLog();
    const sampler = startHardwareSampler({
      modelsFolder: "/",
      sampleMs,
      whenGpuLost: "error",
      clock,
      log,
      tools,
      onChange: () => {},
    });
    onTestFinished(() => sampler.stop());
    await sampler.looked;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    sleptMs = 3_600_000;
    tools.now = { ...machine, engine: engineOnCpu };
    manual.advance(sampleMs);
    await expect.poll(() => sampler.view().gpus[0]?.state).toBe("lost");
    expect(sampler.lost(1)?.reason).toMatch(/it is listed, but the engine can no longer compute on it/);
    expect(log.lines).toContain("info: the machine slept: its hardware is looked at anew");
  });
});

test("stopping ends a look that is under way", async () => {
  let aborted = false;
  const tools = {
    ...playedTools(machine),
    engine: (signal: AbortSignal) =>
      new Promise<{ ended: string }>((resolve) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          resolve({ ended: "it was stopped" });
        });
      }),
  };
  const changes: HardwareView[] = [];
  const sampler = startHardwareSampler({
    modelsFolder: "/",
    sampleMs,
    whenGpuLost: "error",
    clock: manualClock(),
    log: recordedLog(),
    tools,
    onChange: (view) => changes.push(view),
  });
  await new Promise<void>((resolve) => void setImmediate(resolve));
  await sampler.stop();
  expect([aborted, changes]).toEqual([true, []]);
});

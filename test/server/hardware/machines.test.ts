/** Every machine that is written down, read through the parsers and the merge as if it were this one. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Figure, HardwareView } from "../../../server/domain/hardware.ts";
import { readHardwareFile } from "../../../server/hardware/file.ts";
import { machineOf } from "../../../server/hardware/machine.ts";
import { machineNames, machinePath, recordedMachine } from "../../support/machines.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const mebibyte = 2 ** 20;
const view = (name: string) => readHardwareFile(machinePath(name));
const inMebibytes = (figure: Figure<number>) => (figure === null ? null : Math.round(figure.value / mebibyte));

/** Name, memory in MiB, who reports it, state. */
const cards: Readonly<Record<string, readonly (readonly [string, number | null, string | null, string])[]>> = {
  "rtx-3090": [["NVIDIA GeForce RTX 3090", 24_576, "nvidia-smi", "present"]],
  "rtx-4090": [
    ["NVIDIA GeForce RTX 4090", 24_564, "nvidia-smi", "present"],
    ["AMD Radeon(TM) Graphics", 512, "systeminformation", "present"],
  ],
  "2x-rtx-3090": [
    ["NVIDIA GeForce RTX 3090", 24_576, "nvidia-smi", "present"],
    ["NVIDIA GeForce RTX 3090", 24_576, "nvidia-smi", "present"],
  ],
  "rtx-3090-rtx-4060": [
    ["NVIDIA GeForce RTX 3090", 24_576, "nvidia-smi", "present"],
    ["NVIDIA GeForce RTX 4060", 8_188, "nvidia-smi", "present"],
  ],
  "a40-48gb": [["NVIDIA A40", 46_068, "nvidia-smi", "present"]],
  "h100-80gb": [["NVIDIA H100 80GB HBM3", 81_559, "nvidia-smi", "present"]],
  "rx-7900-xtx": [["Radeon RX 7900 XTX", 24_560, "rocm-smi", "present"]],
  "apple-m3-max": [["Apple M3 Max", 49_152, "engine", "present"]],
  "intel-arc-a770": [
    ["Raptor Lake-S GT1 [UHD Graphics 770]", null, null, "unused"],
    ["Intel(R) Arc(tm) A770 Graphics (DG2)", 16_288, "engine", "present"],
  ],
  "intel-uhd-630": [["Intel(R) UHD Graphics 630 (CFL GT2)", 11_937, "engine", "present"]],
  "no-gpu": [],
  "old-driver": [["NVIDIA GeForce RTX 2080 Ti", 11_019, "nvidia-smi", "present"]],
  "driver-failing": [["GA104 [GeForce RTX 3070]", null, null, "present"]],
  gb10: [["NVIDIA GB10", null, null, "present"]],
};

/** The build that serves, and words of the reason. */
const builds: Readonly<Record<string, readonly [string, RegExp]>> = {
  "rtx-3090": ["cuda-13", /^The NVIDIA driver 580\.95\.05 runs CUDA 13\.$/],
  "rtx-4090": ["cuda-13", /driver 581\.29 runs CUDA 13/],
  "2x-rtx-3090": ["cuda-13", /runs CUDA 13/],
  "rtx-3090-rtx-4060": ["cuda-13", /runs CUDA 13/],
  "a40-48gb": [
    "cuda-12",
    /^The NVIDIA driver 535\.183\.06 is too old for CUDA 13 \(it needs 580\), so CUDA 12 computes\.$/,
  ],
  "h100-80gb": ["cuda-13", /runs CUDA 13/],
  "rx-7900-xtx": ["vulkan", /^Radeon RX 7900 XTX computes through Vulkan\.$/],
  "apple-m3-max": ["metal", /Metal/],
  "intel-arc-a770": ["vulkan", /computes through Vulkan/],
  "intel-uhd-630": ["vulkan", /computes through Vulkan/],
  "no-gpu": ["cpu", /^No GPU was found, so models run on the CPU\.$/],
  "old-driver": ["vulkan", /470\.256\.02 is too old for CUDA 13 \(it needs 580\) and for CUDA 12, so Vulkan computes/],
  "driver-failing": ["cpu", /^The NVIDIA driver does not work: nvidia-smi fails \(NVIDIA-SMI has failed because/],
  gb10: ["cpu", /^There is no CUDA build of the engine for Linux on arm64, so models run on the CPU\.$/],
};

test("each machine has its line in both tables", () => {
  expect(Object.keys(cards).sort()).toEqual(machineNames);
  expect(Object.keys(builds).sort()).toEqual(machineNames);
});

describe.each(machineNames)("%s", (name) => {
  test("each card is there once, with its memory and who reported it", async () => {
    const { gpus } = await view(name);
    expect(
      gpus.map((gpu) => [gpu.name, inMebibytes(gpu.memoryTotalBytes), gpu.memoryTotalBytes?.source ?? null, gpu.state]),
    ).toEqual(cards[name]);
    expect(gpus.map(({ index }) => index)).toEqual(gpus.map((_, at) => at));
    expect(new Set(gpus.map(({ id }) => id)).size).toBe(gpus.length);
  });

  test("which build of the engine serves, and why in one sentence", async () => {
    const { engine } = await view(name);
    expect(engine.gpu).toBe(builds[name]?.[0]);
    expect(engine.reason).toMatch(builds[name]?.[1] ?? /never/);
  });

  test("processor, memory and disk are known, and what is free is no more than there is", async () => {
    const { cpu, memory, disk, gpus } = await view(name);
    expect(cpu.name?.value).toMatch(/\w/);
    expect(cpu.threads?.value).toBeGreaterThan(0);
    for (const room of [memory, disk]) {
      expect(room.totalBytes?.value).toBeGreaterThan(2 ** 30);
      expect(room.freeBytes?.value).toBeLessThanOrEqual(room.totalBytes?.value ?? 0);
    }
    for (const { memoryFreeBytes, memoryTotalBytes } of gpus) {
      if (memoryFreeBytes !== null) expect(memoryFreeBytes.value).toBeLessThanOrEqual(memoryTotalBytes?.value ?? 0);
    }
  });
});

test("a card's live figures are its tool's", async () => {
  const [gpu] = (await view("rtx-3090")).gpus;
  expect(gpu).toEqual({
    id: "GPU-3f6a0c1e-52d7-4b8e-9a61-0d2f7c9b4e10",
    index: 0,
    vendor: "nvidia",
    name: "NVIDIA GeForce RTX 3090",
    state: "present",
    memoryTotalBytes: { value: 24_576 * mebibyte, source: "nvidia-smi" },
    memoryFreeBytes: { value: 24_156 * mebibyte, source: "nvidia-smi" },
    unifiedMemory: false,
    driver: { value: "580.95.05", source: "nvidia-smi" },
    computeCapability: { value: "8.6", source: "nvidia-smi" },
    powerDrawWatts: { value: 23.61, source: "nvidia-smi" },
    powerLimitWatts: { value: 350, source: "nvidia-smi" },
    temperatureCelsius: { value: 38, source: "nvidia-smi" },
    utilisationPercent: { value: 0, source: "nvidia-smi" },
    pcieGeneration: { value: 4, source: "nvidia-smi" },
    pcieWidth: { value: 16, source: "nvidia-smi" },
  });
});

test("AMD's are ROCm's, read past the warning in front of them", async () => {
  const [gpu] = (await view("rx-7900-xtx")).gpus;
  expect(gpu).toMatchObject({
    id: "amd-6b1d5e20a7c4f398",
    memoryFreeBytes: { value: 25_753_026_560 - 613_486_592, source: "rocm-smi" },
    powerDrawWatts: { value: 17, source: "rocm-smi" },
    powerLimitWatts: { value: 303, source: "rocm-smi" },
    temperatureCelsius: { value: 39, source: "rocm-smi" },
    utilisationPercent: { value: 2, source: "rocm-smi" },
    driver: { value: "6.12.12", source: "rocm-smi" },
    computeCapability: null,
  });
});

test("what is not reported is null and not zero", async () => {
  const [, small] = (await view("rtx-3090-rtx-4060")).gpus;
  expect(small).toMatchObject({ powerDrawWatts: null, powerLimitWatts: { value: 115 }, pcieWidth: { value: 4 } });
  const [old] = (await view("old-driver")).gpus;
  expect(old).toMatchObject({ computeCapability: null, driver: { value: "470.256.02" } });
  const [board] = (await view("gb10")).gpus;
  expect(board).toMatchObject({ memoryTotalBytes: null, memoryFreeBytes: null, computeCapability: { value: "12.1" } });
});

test("on a Mac memory is shared, and what the system can give back counts as free", async () => {
  const mac = await view("apple-m3-max");
  expect(mac.gpus[0]?.unifiedMemory).toBe(true);
  expect(mac.memory.freeBytes).toEqual({ value: 47_244_640_256, source: "systeminformation" });
  expect(mac.cpu).toMatchObject({ name: { value: "Apple M3 Max" }, physicalCores: { value: 16 } });
});

test("a container's limit counts, not the machine around it", async () => {
  const { memory, cpu } = await view("a40-48gb");
  expect(memory.totalBytes).toEqual({ value: 53_687_091_200, source: "node" });
  expect(cpu.threads?.value).toBe(9);
});

describe("what a fit may count on", () => {
  const machine = async (name: string) => machineOf(await view(name), null);

  test("the cards the engine computes on, with what is free on them", async () => {
    expect((await machine("rtx-3090")).gpus).toEqual([
      { name: "NVIDIA GeForce RTX 3090", totalBytes: 24_576 * mebibyte, freeBytes: 24_156 * mebibyte },
    ]);
    expect((await machine("2x-rtx-3090")).gpus).toHaveLength(2);
    expect((await machine("rtx-4090")).gpus.map(({ name }) => name)).toEqual(["NVIDIA GeForce RTX 4090"]);
    expect((await machine("intel-arc-a770")).gpus.map(({ name }) => name)).toEqual([
      "Intel(R) Arc(tm) A770 Graphics (DG2)",
    ]);
  });

  test.each(["no-gpu", "driver-failing", "gb10"])("nothing on %s", async (name) => {
    expect((await machine(name)).gpus).toEqual([]);
  });

  test("one memory is one memory", async () => {
    expect(await machine("apple-m3-max")).toMatchObject({ unifiedMemory: true, memoryTotalBytes: 68_719_476_736 });
    expect((await machine("rtx-3090")).unifiedMemory).toBe(false);
  });
});

describe("a file that describes no machine is refused with its reason", () => {
  const written = async (content: string) => {
    const path = join(temporaryFolder(), "machine.json");
    writeFileSync(path, content);
    return readHardwareFile(path).then(
      (): HardwareView => {
        throw new Error("it was read");
      },
      (failure: unknown) => failure,
    );
  };
  const changed = async (change: object) => JSON.stringify({ ...(await recordedMachine("no-gpu")), ...change });

  test.each([
    ["no JSON", async () => "name: no", /is no JSON file/],
    ["nothing", async () => "", /is no JSON file/],
    ["another thing", async () => "[1, 2]", /describes no machine/],
    ["a newer form", () => changed({ lanthornMachine: 2 }), /lanthornMachine: /],
    ["an unknown key", () => changed({ colour: "green" }), /unknown key "colour"/],
    ["an unknown key inside", () => changed({ rocmSmi: { outcome: "missing", why: 1 } }), /rocmSmi: unknown key "why"/],
    ["an unknown outcome", () => changed({ rocmSmi: { outcome: "bored" } }), /rocmSmi/],
    ["a missing source", () => changed({ nvidiaSmi: undefined }), /nvidiaSmi: /],
  ])("%s", async (_, content, reason) => {
    expect(await written(await content())).toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(reason),
    });
  });

  test("a file that is not there, a folder, and one of megabytes", async () => {
    const folder = temporaryFolder();
    const large = join(folder, "large.json");
    writeFileSync(large, "x".repeat(2 * mebibyte));
    for (const path of [join(folder, "none.json"), folder]) {
      await expect(readHardwareFile(path)).rejects.toMatchObject({ code: "invalid_request" });
    }
    await expect(readHardwareFile(large)).rejects.toMatchObject({ message: expect.stringContaining("too large") });
  });
});

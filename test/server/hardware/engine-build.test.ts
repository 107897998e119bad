/** Which build of the engine serves: the edges of drivers, cards and packages, and the engine's own word against them. */
import { describe, expect, test } from "vitest";
import { decideEngine, type EngineFacts } from "../../../server/hardware/engine-build.ts";
import { engineOnCpu, machinePicture } from "../../support/machines.ts";

const { gpus } = await machinePicture("rtx-3090");
const [card] = gpus;
if (card === undefined) throw new Error("there is one");
const figure = (value: string) => ({ value, source: "nvidia-smi" as const });
const all = ["linux-x64", "linux-x64-cuda", "linux-x64-cuda-ext", "linux-x64-vulkan"];

function decide(
  facts: Partial<EngineFacts> & { readonly driver?: string | null; readonly capability?: string | null },
) {
  const { driver = "580.95.05", capability = "8.6", ...rest } = facts;
  const gpu = {
    ...card,
    ...gpus[0],
    driver: driver === null ? null : figure(driver),
    computeCapability: capability === null ? null : figure(capability),
  };
  return decideEngine({
    platform: "linux",
    arch: "x64",
    packages: all,
    gpus: [gpu as (typeof gpus)[number]],
    engine: null,
    complaints: [],
    ...rest,
  });
}

test.each([
  ["580.65.06", "8.6", "cuda-13"],
  ["580", "7.5", "cuda-13"],
  ["579.99", "8.6", "cuda-12"],
  ["525.60.13", "8.6", "cuda-12"],
  ["524.99", "8.6", "vulkan"],
  ["580.95.05", "7.0", "cuda-12"],
  ["580.95.05", "6.1", "cuda-12"],
  ["580.95.05", "3.5", "vulkan"],
  [null, "8.6", "cuda-13"],
  ["580.95.05", null, "cuda-13"],
  ["no number", null, "cuda-13"],
])("driver %s and capability %s: %s", (driver, capability, gpu) => {
  expect(decide({ driver, capability }).gpu).toBe(gpu);
});

test("the newest of several cards decides", () => {
  const old = { ...card, computeCapability: figure("6.1") };
  expect(decide({ gpus: [old, card] }).gpu).toBe("cuda-13");
  expect(decide({ gpus: [old] })).toMatchObject({
    gpu: "cuda-12",
    reason: "NVIDIA GeForce RTX 3090 (compute capability 6.1) is too old for CUDA 13, so CUDA 12 computes.",
  });
});

test("an old driver without the CUDA 12 libraries: what to do about it is said", () => {
  expect(decide({ driver: "535.183.06", packages: ["linux-x64", "linux-x64-cuda", "linux-x64-vulkan"] })).toEqual({
    gpu: "vulkan",
    reason:
      "The NVIDIA driver 535.183.06 is too old for CUDA 13 (it needs 580) and the CUDA 12 build is not installed, so Vulkan computes.",
    remedy:
      "update the NVIDIA driver to 580 or newer, or npm install --no-save @node-llama-cpp/linux-x64-cuda-ext (CUDA 12)",
    confirmed: false,
  });
  expect(decide({ driver: "535.183.06", packages: ["linux-x64", "linux-x64-cuda"] })).toMatchObject({
    gpu: "cpu",
    reason: expect.stringMatching(/not installed, so models run on the CPU\.$/),
  });
});

test("without the CUDA build, and on a processor that has none", () => {
  expect(decide({ packages: ["linux-x64"] })).toMatchObject({
    gpu: "cpu",
    remedy: expect.stringContaining("linux-x64-cuda"),
  });
  expect(decide({ arch: "arm64", packages: ["linux-arm64"] }).reason).toMatch(
    /no CUDA build of the engine for Linux on arm64/,
  );
});

test("an AMD card without the Vulkan build", () => {
  const amd = { ...card, vendor: "amd" as const, name: "Radeon RX 7900 XTX" };
  expect(decide({ gpus: [amd], packages: ["linux-x64"] })).toMatchObject({
    gpu: "cpu",
    reason: "Radeon RX 7900 XTX needs the engine's Vulkan build, which is not installed, so models run on the CPU.",
  });
});

describe("the engine's own word", () => {
  const said = (gpu: "cuda" | "vulkan" | "metal" | null, olderCuda: boolean | null = null) => ({
    ...engineOnCpu,
    gpu,
    olderCuda,
  });

  test("counts, and says which CUDA by its libraries, else by what was expected", () => {
    expect(decide({ engine: said("cuda", true) })).toMatchObject({
      gpu: "cuda-12",
      reason: "The engine cannot use CUDA 13 here, so CUDA 12 computes.",
      confirmed: true,
    });
    expect(decide({ engine: said("cuda") })).toMatchObject({ gpu: "cuda-13", confirmed: true });
    expect(decide({ engine: said("cuda"), driver: "535.1" })).toMatchObject({ gpu: "cuda-12", confirmed: true });
    expect(decide({ engine: said("vulkan") })).toMatchObject({
      gpu: "vulkan",
      reason: "The engine cannot use CUDA 13 here, so Vulkan computes.",
    });
  });

  test("the CPU beside a card is said aloud, with what to do", () => {
    expect(decide({ engine: said(null) })).toEqual({
      gpu: "cpu",
      reason:
        "NVIDIA GeForce RTX 3090 is there, but the engine cannot use it through CUDA 13, so models run on the CPU.",
      remedy: "reboot if the machine was suspended or the driver updated; CUDA_VISIBLE_DEVICES must not hide the card",
      confirmed: true,
    });
  });

  test("a GPU that nobody else saw", () => {
    expect(decide({ gpus: [], engine: said("vulkan") })).toMatchObject({
      gpu: "vulkan",
      reason: "The engine computes through Vulkan.",
    });
  });

  test("one that crashed leaves the prediction, one that cannot be loaded does not", () => {
    expect(decide({ engine: { ended: "SIGSEGV" } })).toMatchObject({ gpu: "cuda-13", confirmed: false });
    expect(decide({ engine: { problem: "no binary\nfor you." } })).toMatchObject({
      gpu: "cpu",
      reason: "The engine could not be loaded (no binary for you).",
      confirmed: true,
    });
  });
});

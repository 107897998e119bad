/** Which GPUs are there, does the engine use them, and is there memory for a model? Says what is missing and how to get it. */
import type { GpuView, HardwareView } from "../../domain/hardware.ts";
import { type Picture, pictureOf } from "../../hardware/merge.ts";
import { bytesText } from "../format.ts";
import { type Check, type Finding, fail, note, ok } from "./check.ts";
import { machineLook } from "./machine-look.ts";

export const gpuCheck: Check = {
  title: "GPU",
  look: async (context) => judgeGpus(pictureOf(await machineLook(context))),
};

export const memoryCheck: Check = {
  title: "Memory",
  look: async (context) => judgeMemory(pictureOf(await machineLook(context)).view),
};

/** A small model with its context; below this not even that. */
const leastFreeMemoryBytes = 2 * 2 ** 30;

export function judgeGpus({ view, decision, complaints }: Pick<Picture, "view" | "decision" | "complaints">): Finding {
  const cards = view.gpus.map(gpuText).join("; ");
  const [complaint] = complaints;
  if (complaint !== undefined) {
    const fix =
      decision.remedy ?? "reboot if the machine was suspended or the driver updated, else install the driver again";
    return fail([complaint.reason, ...(cards === "" ? [] : [cards])].join("; "), fix);
  }
  if (view.gpus.length === 0) return note(decision.reason.replace(/\.$/, ""));
  const text = `${cards}. ${decision.reason.replace(/\.$/, "")}`;
  if (decision.gpu === "cpu") {
    return note(text, decision.remedy);
  }
  const unused = view.gpus.filter(({ state }) => state === "unused");
  if (decision.remedy !== null) return note(text, decision.remedy);
  return unused.length === 0 ? ok(text) : note(`${text} (not in use: ${unused.map(({ name }) => name).join(", ")})`);
}

/** `NVIDIA GeForce RTX 3090, 24.0 GiB (23.4 GiB free), driver 580.95.05`. */
function gpuText(gpu: GpuView): string {
  const { memoryTotalBytes, memoryFreeBytes, driver } = gpu;
  const free = memoryFreeBytes === null ? "" : ` (${bytesText(memoryFreeBytes.value)} free)`;
  return [
    gpu.name,
    memoryTotalBytes === null ? "memory not reported" : `${bytesText(memoryTotalBytes.value)}${free}`,
    ...(driver === null ? [] : [`driver ${driver.value}`]),
  ].join(", ");
}

export function judgeMemory({ memory, gpus, engine }: HardwareView): Finding {
  const { totalBytes, freeBytes } = memory;
  if (totalBytes === null) return note("its size is not reported");
  const free = freeBytes === null ? "" : `, ${bytesText(freeBytes.value)} free`;
  const text = `${bytesText(totalBytes.value)}${free}`;
  const needed = engine.gpu === "cpu" || gpus.every((gpu) => gpu.unifiedMemory);
  if (!needed || freeBytes === null || freeBytes.value >= leastFreeMemoryBytes) return ok(text);
  return note(`${text}: little room for a model`, "close what takes memory, or serve a smaller model");
}

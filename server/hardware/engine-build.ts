/**
 * Which of the engine's builds computes here, and why. Pure. Predicted from the packages that are installed, the cards and the
 * driver; where the engine itself said what it computes on, that counts, and the reason says what stood in the way.
 */
import type { EngineGpu, GpuView } from "../domain/hardware.ts";
import type { Complaint } from "./facts.ts";
import type { EngineAnswer } from "./recording.ts";

export interface EngineFacts {
  readonly platform: string;
  readonly arch: string;
  /** Names of `@node-llama-cpp/…` packages, without the scope. */
  readonly packages: readonly string[];
  readonly gpus: readonly GpuView[];
  readonly engine: EngineAnswer | null;
  readonly complaints: readonly Complaint[];
}

export interface EngineDecision {
  readonly gpu: EngineGpu;
  /** One sentence. */
  readonly reason: string;
  /** What would make a better one serve; null: nothing is missing. */
  readonly remedy: string | null;
  /** The engine itself said so. */
  readonly confirmed: boolean;
}

/** Oldest drivers of NVIDIA that run programs of a CUDA generation: the same number on Linux and Windows for 13, not for 12. */
const leastDriver = Object.freeze({ "cuda-13": 580, "cuda-12": { linux: 525, win32: 528 } });
/** CUDA 13 left out everything before Turing; the CUDA 12 libraries begin with Maxwell. */
const leastCapability = Object.freeze({ "cuda-13": 7.5, "cuda-12": 5 });

type Choice = Omit<EngineDecision, "confirmed">;

export function decideEngine(facts: EngineFacts): EngineDecision {
  const predicted = predict(facts);
  const { engine } = facts;
  if (engine === null || "ended" in engine) return { ...predicted, confirmed: false };
  if ("problem" in engine) {
    const remedy = "install Lanthorn again for this system";
    return { gpu: "cpu", reason: `The engine could not be loaded (${cut(engine.problem)}).`, remedy, confirmed: true };
  }
  const said = saidGpu(engine.gpu, engine.olderCuda, predicted.gpu);
  if (said === predicted.gpu) return { ...predicted, confirmed: true };
  return { ...otherwise(said, predicted, facts), confirmed: true };
}

/** The engine says "cuda" of both generations; the path of its library tells them apart, else what was to be expected. */
function saidGpu(gpu: "cuda" | "vulkan" | "metal" | null, olderCuda: boolean | null, predicted: EngineGpu): EngineGpu {
  if (gpu === null) return "cpu";
  if (gpu !== "cuda") return gpu;
  if (olderCuda !== null) return olderCuda ? "cuda-12" : "cuda-13";
  return predicted === "cuda-12" ? "cuda-12" : "cuda-13";
}

const names = Object.freeze({
  "cuda-13": "CUDA 13",
  "cuda-12": "CUDA 12",
  vulkan: "Vulkan",
  metal: "Metal",
  cpu: "the CPU",
} satisfies Record<EngineGpu, string>);

/** What to call a build in a sentence. */
export function buildName(gpu: EngineGpu): string {
  return names[gpu];
}

function predict(facts: EngineFacts): Choice {
  const { gpus, platform, arch } = facts;
  const nvidia = gpus.filter((gpu) => gpu.vendor === "nvidia");
  if (platform === "darwin") {
    if (arch === "arm64") return { gpu: "metal", reason: "Apple silicon computes through Metal.", remedy: null };
    return { gpu: "cpu", reason: "The engine uses no GPU on a Mac with an Intel processor.", remedy: null };
  }
  const failing = facts.complaints.find(({ vendor, kind }) => vendor === "nvidia" && kind !== "lost");
  if (nvidia.length > 0 && failing === undefined) return forNvidia(nvidia, facts);
  const other = gpus.find(({ vendor }) => vendor === "amd" || vendor === "intel");
  if (failing !== undefined) {
    const because = `The NVIDIA driver does not work: ${failing.reason}`;
    const remedy = "reboot if the driver was updated, else install it again; nvidia-smi must list the card";
    if (other !== undefined) return throughVulkan(facts, because, remedy);
    return { gpu: "cpu", reason: `${because}, so models run on the CPU.`, remedy };
  }
  if (other !== undefined) {
    const choice = throughVulkan(facts, `${other.name} needs the engine's Vulkan build, which is not installed`, null);
    return choice.gpu === "cpu" ? choice : { ...choice, reason: `${other.name} computes through Vulkan.` };
  }
  return { gpu: "cpu", reason: "No GPU was found, so models run on the CPU.", remedy: null };
}

function forNvidia(cards: readonly GpuView[], facts: EngineFacts): Choice {
  const { platform, arch } = facts;
  const driver = cards.map((card) => card.driver?.value).find((value) => value !== undefined) ?? null;
  const newest = cards.reduce<GpuView | null>(
    (best, card) => (capability(card) > capability(best) ? card : best),
    null,
  );
  const base = `${platform === "win32" ? "win" : "linux"}-${arch}-cuda`;
  const system = `${platform === "win32" ? "Windows" : "Linux"} on ${arch}`;
  if (arch !== "x64") return throughVulkan(facts, `There is no CUDA build of the engine for ${system}`, null);
  if (!facts.packages.includes(base)) {
    const remedy = `npm install --no-save @node-llama-cpp/${base}`;
    return throughVulkan(facts, "The CUDA build of the engine is not installed", remedy);
  }
  const why = tooOldFor13(driver, newest);
  if (why === null) {
    const by = driver === null ? "The NVIDIA driver" : `The NVIDIA driver ${driver}`;
    return { gpu: "cuda-13", reason: `${by} runs CUDA 13.`, remedy: null };
  }
  const hasOlder = facts.packages.includes(`${base}-ext`);
  const least12 = leastDriver["cuda-12"][platform === "win32" ? "win32" : "linux"];
  const tooOldFor12 = (driver !== null && major(driver) < least12) || capability(newest) < leastCapability["cuda-12"];
  if (hasOlder && !tooOldFor12) return { gpu: "cuda-12", reason: `${why}, so CUDA 12 computes.`, remedy: null };
  const update = `update the NVIDIA driver to ${leastDriver["cuda-13"]} or newer`;
  const remedies = [
    ...(driver !== null && major(driver) < leastDriver["cuda-13"] && capability(newest) >= leastCapability["cuda-13"]
      ? [update]
      : []),
    ...(hasOlder || tooOldFor12 ? [] : [`npm install --no-save @node-llama-cpp/${base}-ext (CUDA 12)`]),
  ];
  const also = tooOldFor12 ? "and for CUDA 12" : "and the CUDA 12 build is not installed";
  return throughVulkan(facts, `${why} ${also}`, remedies.length === 0 ? null : remedies.join(", or "));
}

/** The beginning of a sentence; null: nothing speaks against it. */
function tooOldFor13(driver: string | null, newest: GpuView | null): string | null {
  if (driver !== null && major(driver) < leastDriver["cuda-13"]) {
    return `The NVIDIA driver ${driver} is too old for CUDA 13 (it needs ${leastDriver["cuda-13"]})`;
  }
  if (newest?.computeCapability && capability(newest) < leastCapability["cuda-13"]) {
    return `${newest.name} (compute capability ${newest.computeCapability.value}) is too old for CUDA 13`;
  }
  return null;
}

/** Infinity where nobody reports it: then nothing is held against the card. */
function capability(card: GpuView | null): number {
  if (card === null) return -1;
  return card.computeCapability === null ? Number.POSITIVE_INFINITY : Number(card.computeCapability.value);
}

function major(driver: string): number {
  const number = Number(/^\d{1,5}/.exec(driver)?.[0]);
  return Number.isFinite(number) ? number : Number.POSITIVE_INFINITY;
}

/** Vulkan where its build is installed, else the CPU. `because`: the beginning of a sentence. */
function throughVulkan(facts: EngineFacts, because: string, remedy: string | null): Choice {
  const wanted = `${facts.platform === "win32" ? "win" : "linux"}-${facts.arch}-vulkan`;
  return facts.packages.includes(wanted)
    ? { gpu: "vulkan", reason: `${because}, so Vulkan computes.`, remedy }
    : { gpu: "cpu", reason: `${because}, so models run on the CPU.`, remedy };
}

/** The engine computes on something else than was to be expected. */
function otherwise(said: EngineGpu, predicted: Choice, facts: EngineFacts): Choice {
  const card = facts.gpus.find(({ vendor }) => vendor !== "other")?.name ?? "A GPU";
  const [complaint] = facts.complaints;
  if (said === "cpu") {
    const why = complaint === undefined ? "" : ` (${complaint.reason})`;
    return {
      gpu: "cpu",
      reason: `${card} is there, but the engine cannot use it through ${buildName(predicted.gpu)}${why}, so models run on the CPU.`,
      remedy: predicted.remedy ?? remedyFor(predicted.gpu),
    };
  }
  if (predicted.gpu === "cpu")
    return { gpu: said, reason: `The engine computes through ${buildName(said)}.`, remedy: null };
  return {
    gpu: said,
    reason: `The engine cannot use ${buildName(predicted.gpu)} here, so ${buildName(said)} computes.`,
    remedy: predicted.remedy ?? remedyFor(predicted.gpu),
  };
}

function remedyFor(wanted: EngineGpu): string {
  if (wanted === "vulkan")
    return "install the card's Vulkan driver and the Vulkan loader (libvulkan1, mesa-vulkan-drivers)";
  if (wanted === "metal") return "install Lanthorn again for this system";
  return "reboot if the machine was suspended or the driver updated; CUDA_VISIBLE_DEVICES must not hide the card";
}

/** What a library said goes into one sentence. */
function cut(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, 200);
}

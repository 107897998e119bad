/**
 * Whether the cards that were there still are. Pure: what was known and what was seen now in, what is known next out.
 *
 * A card is lost when the vendor's tool says so, fails, or no longer lists it, when the tool stays silent three times in a row
 * (under load it may be slow), or when the engine cannot use it any more although it could before: after a suspend the tool often
 * lists a card that CUDA no longer reaches. It is back only when the tool lists it and the engine has computed on it again.
 */
import type { EngineGpu, GpuView, HardwareView } from "../domain/hardware.ts";
import type { Complaint } from "./facts.ts";
import { vendorsOf } from "./machine.ts";
import { type Picture, type PlacedGpu, withoutPlace } from "./merge.ts";

export interface Loss {
  readonly id: string;
  readonly name: string;
  /** A sentence without its full stop, safe to show to anybody. */
  readonly reason: string;
  /** Monotonic. */
  readonly sinceMs: number;
}

export interface Watch {
  /** Every card ever seen, as it was seen last. */
  readonly gpus: readonly PlacedGpu[];
  readonly losses: readonly Loss[];
  /** The build that the engine was seen to compute with; `cpu`: no GPU was ever promised. */
  readonly promised: EngineGpu;
  /** Looks in a row in which a tool gave no answer. */
  readonly silences: number;
  /** Looks since something was lost. */
  readonly looks: number;
  /** A lost card is listed again, and only the engine can say whether it is of use. */
  readonly returning: boolean;
}

export const nothingSeen: Watch = Object.freeze({
  gpus: [],
  losses: [],
  promised: "cpu",
  silences: 0,
  looks: 0,
  returning: false,
});

export interface Seen {
  readonly picture: Picture;
  /** The engine was asked in this look; otherwise its word in the picture is an older one. */
  readonly engineAsked: boolean;
}

/** So much must be free before "the engine found no GPU" counts: with all memory taken its self-test fails too. Bytes. */
const roomForSelfTest = 2 ** 30;
const silencesUntilLost = 3;
const firstRetryMs = 2_000;
const longestRetryMs = 60_000;

export function watched(before: Watch, { picture, engineAsked }: Seen, nowMs: number): Watch {
  const { decision, complaints } = picture;
  const confirmed = engineAsked && decision.confirmed;
  const promised = confirmed && decision.gpu !== "cpu" ? decision.gpu : before.promised;
  const silences = complaints.some(({ kind }) => kind === "silent") ? before.silences + 1 : 0;
  const evidence: Evidence = { before, complaints, promised, silences, computesOn: confirmed ? decision.gpu : null };
  const losses: Loss[] = [];
  let returning = false;
  const gpus = before.gpus.map((known): PlacedGpu => {
    const seen = picture.gpus.find((gpu) => isSame(gpu, known)) ?? null;
    const old = before.losses.find(({ id }) => id === known.id) ?? null;
    const why = goneBecause(known, seen, evidence);
    if (why === wait) return known;
    if (why === unseen) return { ...asLost(known), state: known.state };
    if (why === null && seen !== null && (old === null || isBack(seen, evidence))) return { ...seen, id: known.id };
    returning ||= why === null;
    const reason = why ?? old?.reason ?? "it is no longer listed";
    losses.push({ id: known.id, name: known.name, reason, sinceMs: old?.sinceMs ?? nowMs });
    return asLost(known);
  });
  const fresh = picture.gpus.filter((gpu) => !before.gpus.some((known) => isSame(gpu, known)));
  return {
    gpus: [...gpus, ...fresh].map((gpu, index) => ({ ...gpu, index })),
    losses,
    promised,
    silences,
    looks: losses.length === 0 ? 0 : before.looks + 1,
    returning,
  };
}

function isSame(a: PlacedGpu, b: PlacedGpu): boolean {
  if (a.uuid !== null && b.uuid !== null) return a.uuid === b.uuid;
  if (a.busAddress !== null && b.busAddress !== null) return a.busAddress === b.busAddress;
  return a.id === b.id;
}

interface Evidence {
  readonly before: Watch;
  readonly complaints: readonly Complaint[];
  readonly promised: EngineGpu;
  readonly silences: number;
  /** What the engine said in this look; null: it was not asked, or gave no answer. */
  readonly computesOn: EngineGpu | null;
}

/** One more look decides. */
const wait = Symbol("wait");
/** Nobody can say, and there is no reason to believe the worst. */
const unseen = Symbol("unseen");

/** Null: nothing says that it is gone. */
function goneBecause(
  known: PlacedGpu,
  seen: PlacedGpu | null,
  evidence: Evidence,
): string | typeof wait | typeof unseen | null {
  const complaint = evidence.complaints.find(
    ({ vendor, busAddress }) => vendor === known.vendor && (busAddress === null || busAddress === known.busAddress),
  );
  if (complaint?.kind === "blind") return known.state === "lost" ? complaint.reason : unseen;
  if (complaint?.kind === "silent" && evidence.silences < silencesUntilLost && known.state !== "lost") return wait;
  if (complaint !== undefined) return complaint.reason;
  const tool = (["nvidia-smi", "rocm-smi"] as const).find((one) => known.listedBy.includes(one));
  if (tool !== undefined && !seen?.listedBy.includes(tool)) return `${tool} no longer lists it`;
  if (seen === null) return "it is no longer listed";
  // What the engine says counts only where it could compute on this card before.
  if (!isPromised(known, evidence.before.promised) || known.state !== "present") return null;
  const hasRoom = seen.memoryFreeBytes === null || seen.memoryFreeBytes.value >= roomForSelfTest;
  if (evidence.computesOn === "cpu" && hasRoom) return "it is listed, but the engine can no longer compute on it";
  if (evidence.computesOn !== null && evidence.computesOn !== "cpu" && seen.state === "unused") {
    return "the engine no longer lists it";
  }
  return null;
}

function isPromised(gpu: GpuView, promised: EngineGpu): boolean {
  return vendorsOf[promised].includes(gpu.vendor);
}

/** A lost card that is listed again. One that the engine was promised must also be computed on again. */
function isBack(seen: PlacedGpu, { promised, computesOn }: Evidence): boolean {
  if (!isPromised(seen, promised)) return true;
  return computesOn !== null && computesOn !== "cpu" && seen.state === "present";
}

/** What does not change is still true of a card that is gone; the rest nobody knows. */
function asLost(gpu: PlacedGpu): PlacedGpu {
  return {
    ...gpu,
    state: "lost",
    memoryFreeBytes: null,
    powerDrawWatts: null,
    temperatureCelsius: null,
    utilisationPercent: null,
  };
}

/** How long until the next look while something is lost; null: nothing is. */
export function retryAfterMs(watch: Watch): number | null {
  if (watch.losses.length === 0) return null;
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(10, Math.max(0, watch.looks - 1)));
}

/** Losses among the cards that the engine was promised. */
export function promisedLosses(watch: Watch): readonly Loss[] {
  return watch.losses.filter(({ id }) => {
    const gpu = watch.gpus.find((one) => one.id === id);
    return gpu !== undefined && isPromised(gpu, watch.promised);
  });
}

/**
 * Why weights of this size may not be served: a promised card is lost, and what is left of the GPUs' memory cannot hold them.
 * With other cards left, models that fit there go on. A sentence without its full stop.
 */
export function lostFor(watch: Watch, weightBytes: number): string | null {
  const [loss] = promisedLosses(watch);
  if (loss === undefined) return null;
  const lostCard = watch.gpus.find(({ id }) => id === loss.id);
  const left = watch.gpus
    .filter((gpu) => gpu.state === "present" && isPromised(gpu, watch.promised))
    // Graphics in the processor are no stand-in for a card: that would be the CPU by another name.
    .filter((gpu) => !gpu.unifiedMemory || lostCard?.unifiedMemory === true)
    .reduce((sum, gpu) => sum + (gpu.memoryTotalBytes?.value ?? 0), 0);
  return left > 0 && left >= weightBytes ? null : `its GPU is lost: ${lossText(loss)}`;
}

export function lossText(loss: Loss): string {
  return `${loss.name} does not answer any more (${loss.reason})`;
}

/** The view as it is shown: with the cards that are gone, and what was promised instead of a silent CPU. */
export function shownView(picture: Picture, watch: Watch): HardwareView {
  const gpus: readonly GpuView[] = watch.gpus.map(withoutPlace);
  const [loss] = promisedLosses(watch);
  const engine =
    loss === undefined
      ? picture.view.engine
      : { gpu: watch.promised, reason: `${lossText(loss)}; what needs it is refused until it is back.` };
  return { ...picture.view, gpus, engine };
}

/**
 * Which models of the catalog to take for a purpose on a machine, best first, each with its reason in a line. Pure. The first
 * choice never gets smaller when the machine gets more memory: what is comfortable there stays so, and of that the largest
 * is first that no smaller model beats in a published figure.
 */
import type { Machine } from "../../server/domain/fit/machine.ts";
import type { ModelShape } from "../../server/domain/fit/shape.ts";
import type { FitVerdict, FitWishes } from "../../server/domain/fit/verdict.ts";
import { catalog } from "./catalog.ts";
import type { CatalogEntry, PublishedFigure } from "./entry.ts";
import { bytesOfEntry, shapeOfEntry } from "./entry-shape.ts";
import { sizeVerdict } from "./size-verdict.ts";

export const recommendPurposes = ["coding", "chat", "autocomplete", "embeddings"] as const;
export type RecommendPurpose = (typeof recommendPurposes)[number];

export type Fit = (shape: ModelShape, machine: Machine, wishes: FitWishes) => FitVerdict;

export interface Recommendation {
  readonly entry: CatalogEntry;
  readonly bytes: number;
  readonly verdict: FitVerdict;
  /** It answers at a speed that somebody would work with. */
  readonly comfortable: boolean;
  /** Its KV was counted; otherwise only its size is known. */
  readonly exact: boolean;
  /** One line: where it fits, and what it is known for. */
  readonly reason: string;
}

export interface RecommendQuestion {
  readonly purpose: RecommendPurpose;
  readonly machine: Machine;
  /** The judge of shapes. */
  readonly fitOf: Fit;
  readonly entries?: readonly CatalogEntry[];
}

interface Habits {
  /** Tokens per request that the purpose is no use without. */
  readonly contextLength: number;
  /** Requests at the same time, most first: slots are given up before context. */
  readonly slots: readonly number[];
  /** What is compared, the first that a model has is shown. */
  readonly benchmarks: readonly string[];
}

const habits: Readonly<Record<RecommendPurpose, Habits>> = Object.freeze({
  coding: { contextLength: 8192, slots: [4, 2, 1], benchmarks: ["HumanEval", "LiveCodeBench"] },
  chat: { contextLength: 8192, slots: [4, 2, 1], benchmarks: ["MMLU", "GPQA Diamond"] },
  autocomplete: { contextLength: 4096, slots: [2, 1], benchmarks: ["HumanEval"] },
  embeddings: { contextLength: 2048, slots: [1], benchmarks: ["MTEB multilingual", "MTEB English v2"] },
});

function figureOf(entry: CatalogEntry, benchmark: string): PublishedFigure | null {
  return entry.figures.find((figure) => figure.benchmark === benchmark) ?? null;
}

/** A model that is no larger has a better figure in one of the benchmarks, and no worse one in another. */
function isBeaten(entry: CatalogEntry, bytes: number, others: readonly CatalogEntry[], benchmarks: readonly string[]) {
  return others.some((other) => {
    if (other === entry || (bytesOfEntry(other) ?? Number.POSITIVE_INFINITY) > bytes) return false;
    const differences = benchmarks.flatMap((benchmark) => {
      const [own, theirs] = [figureOf(entry, benchmark), figureOf(other, benchmark)];
      return own === null || theirs === null ? [] : [theirs.value - own.value];
    });
    return differences.some((one) => one > 0) && differences.every((one) => one >= 0);
  });
}

function isComfortable(verdict: FitVerdict): boolean {
  if (verdict.placement === "none") return false;
  return verdict.speed === null ? verdict.placement === "gpu" : verdict.speed !== "slow";
}

/** With as many slots as leave it where one slot would put it, and as quick; null: it does not fit at all. */
function bestVerdict(
  judge: (wishes: FitWishes) => FitVerdict,
  entry: CatalogEntry,
  { slots, contextLength }: Habits,
): FitVerdict | null {
  const verdicts = slots.map((count) =>
    judge({ contextLength: Math.min(contextLength, entry.contextLength), slots: count, kv: "f16", batchSize: 512 }),
  );
  const fewest = verdicts.at(-1);
  if (fewest === undefined || fewest.placement === "none") return null;
  const isAsGood = (verdict: FitVerdict): boolean =>
    verdict.placement === fewest.placement && isComfortable(verdict) === isComfortable(fewest);
  return verdicts.find(isAsGood) ?? fewest;
}

function countText(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

function placeText({ placement, gpuLayers, totalLayers }: FitVerdict): string {
  if (placement === "gpu") return "fits on the GPU";
  if (placement === "split") return `fits with ${gpuLayers} of ${totalLayers} layers on the GPU`;
  return "fits on the CPU";
}

function figureText({ value, unit, benchmark }: PublishedFigure): string {
  return `${value}${unit === "percent" ? " %" : ""} ${benchmark}`;
}

function reasonOf(entry: CatalogEntry, verdict: FitVerdict, comfortable: boolean, exact: boolean, from: Habits) {
  const figure = from.benchmarks.map((benchmark) => figureOf(entry, benchmark)).find((one) => one !== null) ?? null;
  const slots = verdict.slots === 1 ? "1 slot" : `${verdict.slots} slots`;
  const place = exact
    ? `${placeText(verdict)} with ${slots} of ${countText(verdict.contextLength)} tokens`
    : `${placeText(verdict)} by its size; its KV is not known before its header is read`;
  return [
    comfortable ? place : `${place}, slowly`,
    ...(figure === null ? [] : [figureText(figure)]),
    ...(entry.licence.restricted ? [`licence ${entry.licence.id} must be accepted`] : []),
  ].join("; ");
}

/** What fits, best first. Empty: nothing does. */
export function recommend({
  purpose,
  machine,
  fitOf,
  entries = catalog,
}: RecommendQuestion): readonly Recommendation[] {
  const from = habits[purpose];
  const candidates = entries.filter((entry) => entry.purposes.includes(purpose));
  const found = candidates.flatMap((entry): (Recommendation & { readonly beaten: boolean })[] => {
    const bytes = bytesOfEntry(entry);
    if (bytes === null) return [];
    const shape = shapeOfEntry(entry);
    const judge = (wishes: FitWishes) =>
      shape === null ? sizeVerdict(bytes, machine, wishes) : fitOf(shape, machine, wishes);
    const verdict = bestVerdict(judge, entry, from);
    if (verdict === null) return [];
    const comfortable = isComfortable(verdict);
    const exact = shape !== null;
    const reason = reasonOf(entry, verdict, comfortable, exact, from);
    const beaten = isBeaten(entry, bytes, candidates, from.benchmarks);
    return [{ entry, bytes, verdict, comfortable, exact, reason, beaten }];
  });
  // Where everything is slow the smallest is the least slow.
  const larger = (a: Recommendation, b: Recommendation) => (a.comfortable ? b.bytes - a.bytes : a.bytes - b.bytes);
  return found
    .sort(
      (a, b) => Number(b.comfortable) - Number(a.comfortable) || Number(a.beaten) - Number(b.beaten) || larger(a, b),
    )
    .map(({ beaten: _, ...one }) => one);
}

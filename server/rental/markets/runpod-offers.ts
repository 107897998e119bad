/**
 * What RunPod offers, out of its catalog: a GPU type in one of its two clouds, and in one data center where a region was asked for. Runs
 * where `runpod.ts` does. Pure.
 */
import { gpuTitle } from "../../domain/rental/gpu-name.ts";
import { z } from "zod";
import { monthHours } from "../../domain/rental/disk-choice.ts";
import type { OfferFilter, RejectedOffer, RentalOffer, RentalRates } from "../../domain/rental/market.ts";
import { hourlyNanos, numberOf, storagePerHourNanos } from "./amounts.ts";
import { wireText as text } from "./call.ts";

const perCloud = z.looseObject({ secure: text, community: text });
export const gpuType = z.looseObject({
  id: z.string(),
  name: text,
  memory: text,
  secure: z.boolean().optional(),
  community: z.boolean().optional(),
  price: perCloud,
  maxCount: perCloud.optional(),
  availability: text,
  dataCenters: z
    .array(z.looseObject({ id: z.string(), availability: text }))
    .max(1_000)
    .nullish(),
});

export const bytesPerGb = 1e9;
const runningGbMonth = "0.10";
const stoppedGbMonth = "0.20";
/** For the image; wiped when the pod stops, and paid for while it runs. */
export const containerGb = 20;
export const leastPersistentGb = 10;
/** The two clouds of its offers. The id of an offer is `<gpu>@SECURE`, and `<gpu>@SECURE@EU-SE-1` where a region was asked for. */
export const clouds = Object.freeze([
  { cloud: "SECURE", field: "secure" },
  { cloud: "COMMUNITY", field: "community" },
] as const);
const availabilities = Object.freeze({ LOW: "low", MEDIUM: "medium", HIGH: "high" } as const);

/** Availability is one cloud's, and must be asked for pods: without `product` the whole question is refused. */
export function catalogPath(cloud: string, { gpuCount, region }: OfferFilter): string {
  const query = new URLSearchParams({ include: "AVAILABILITY", product: "POD", cloud });
  if (gpuCount !== undefined) query.set("count", String(gpuCount));
  if (isCountry(region)) query.set("countryCodes", region.toUpperCase());
  return `/catalog/gpus?${query}`;
}

function isCountry(region: string | undefined): region is string {
  return region !== undefined && /^[a-z]{2}$/i.test(region);
}

export function unreadable(raw: unknown): RejectedOffer {
  const offerId = z.looseObject({ id: z.string() }).safeParse(raw).data?.id ?? "?";
  return { offerId, reason: "it has another shape" };
}

interface Shelf {
  readonly cloud: string;
  readonly field: "secure" | "community";
  readonly filter: OfferFilter;
  readonly market: string;
}

/** None: it is not for sale there. Where a region is asked for, one for each data center in it: a pod is made in that one then. */
export function offersOf(gpu: z.output<typeof gpuType>, shelf: Shelf): readonly (RentalOffer | RejectedOffer)[] {
  const { cloud, field, filter, market } = shelf;
  const count = filter.gpuCount ?? 1;
  const isSold = gpu[field] !== false && gpu.availability !== "NONE";
  if (!isSold || (numberOf(gpu.maxCount?.[field]) ?? 1) < count) return [];
  const offerId = `${gpu.id}@${cloud}`;
  const each = hourlyNanos(gpu.price[field]);
  if (each === null) return [{ offerId, reason: `its price is none: ${gpu.price[field] ?? "it has none"}` }];
  const memoryGb = numberOf(gpu.memory);
  if (memoryGb === null || memoryGb <= 0) return [{ offerId, reason: "its memory is not told" }];
  const offer: RentalOffer = {
    ...{ market, offerId, kind: "on-demand", gpu: gpuTitle(gpu.name ?? gpu.id), gpuCount: count },
    vramBytes: memoryGb * bytesPerGb * count,
    rates: ratesOf(each * count, Math.max(leastPersistentGb * bytesPerGb, filter.diskBytes ?? 0)),
    leastBidPerHourNanos: null,
    reliability: null,
    region: null,
    verified: cloud === "SECURE",
    longestMs: null,
    availability: availabilityOf(gpu.availability),
  };
  const { region } = filter;
  if (region === undefined) return [offer];
  return (gpu.dataCenters ?? [])
    .filter(({ id, availability }) => availability !== "NONE" && (isCountry(region) || isWithin(id, region)))
    .map(({ id, availability }) => ({
      ...{ ...offer, offerId: `${offerId}@${id}`, region: id, availability: availabilityOf(availability) },
    }));
}

/** `EU-SE-1` is in `EU-SE` and in `eu`. */
function isWithin(dataCenter: string, region: string): boolean {
  const [one, other] = [dataCenter.toUpperCase(), region.toUpperCase()];
  return one === other || one.startsWith(`${other}-`);
}

function availabilityOf(word: string | null | undefined): RentalOffer["availability"] {
  return availabilities[(word ?? "") as keyof typeof availabilities] ?? null;
}

export function ratesOf(
  gpuPerHourNanos: number,
  persistentBytes: number,
  containerBytes = containerGb * bytesPerGb,
): RentalRates {
  return {
    gpuPerHourNanos,
    storagePerHourNanos: storagePerHourNanos(runningGbMonth, persistentBytes + containerBytes, monthHours) ?? 0,
    stoppedStoragePerHourNanos: storagePerHourNanos(stoppedGbMonth, persistentBytes, monthHours) ?? 0,
    uploadPerGbNanos: 0,
    downloadPerGbNanos: 0,
  };
}

/** What Vast.ai offers: how it is asked, and what one of its answers comes to. Runs where `vast.ts` does. Pure. */
import { gpuTitle } from "../../domain/rental/gpu-name.ts";
import { z } from "zod";
import type { OfferFilter, RejectedOffer, RentalOffer, RentalRates } from "../../domain/rental/market.ts";
import { hourlyNanos, numberOf, storagePerHourNanos, trafficPerGbNanos } from "./amounts.ts";
import { wireText as text } from "./call.ts";

const offer = z.looseObject({
  id: text,
  gpu_name: text,
  num_gpus: text,
  gpu_ram: text,
  gpu_total_ram: text,
  dph_base: text,
  min_bid: text,
  storage_cost: text,
  inet_up_cost: text,
  inet_down_cost: text,
  reliability2: text,
  verification: text,
  geolocation: text,
  duration: text,
});
/** GPUs of one machine are told in MB of 10^6 bytes. */
const bytesPerMb = 1_000_000;
/** 30 days: its own hourly figures of a disk (`storage_total_cost`) are a 720th of `storage_cost` for each GB. */
const monthHours = 720;

export function searchOf({ gpu, gpuCount, kind, leastReliability, region, diskBytes }: OfferFilter): object {
  return {
    rentable: { eq: true },
    ...(gpu === undefined ? {} : { gpu_name: { eq: gpuTitle(gpu) } }),
    ...(gpuCount === undefined ? {} : { num_gpus: { eq: gpuCount } }),
    ...(leastReliability === undefined ? {} : { reliability2: { gte: leastReliability } }),
    ...(region === undefined ? {} : { geolocation: { in: [region] } }),
    type: kind === "bid" ? "bid" : "on-demand",
    order: [["dph_total", "asc"]],
    limit: 200,
    allocated_storage: Math.ceil((diskBytes ?? 10e9) / 1e9),
  };
}

export function readOffer(raw: unknown, filter: OfferFilter, market: string): RentalOffer | RejectedOffer {
  const read = offer.safeParse(raw);
  if (!read.success) return { offerId: "?", reason: "it has another shape" };
  const data = read.data;
  const offerId = data.id ?? "?";
  const isBid = filter.kind === "bid";
  const bid = isBid ? hourlyNanos(data.min_bid) : null;
  const gpuPerHour = isBid ? bid : hourlyNanos(data.dph_base);
  if (gpuPerHour === null) return { offerId, reason: `its price is none: ${isBid ? data.min_bid : data.dph_base}` };
  const rates = ratesOf(gpuPerHour, data, filter.diskBytes ?? 10e9);
  if (rates === null) return { offerId, reason: "the price of its disk or traffic is none" };
  const gpuCount = numberOf(data.num_gpus);
  const vram = numberOf(data.gpu_total_ram) ?? (numberOf(data.gpu_ram) ?? Number.NaN) * (gpuCount ?? 1);
  if (gpuCount === null || !Number.isFinite(vram) || vram <= 0) return { offerId, reason: "its GPUs are not told" };
  const reliability = numberOf(data.reliability2);
  const durationS = numberOf(data.duration);
  return {
    ...{ market, offerId, kind: isBid ? "bid" : "on-demand", gpu: gpuTitle(data.gpu_name ?? "?"), gpuCount, rates },
    vramBytes: vram * bytesPerMb,
    leastBidPerHourNanos: bid,
    reliability: reliability === null || reliability < 0 || reliability > 1 ? null : reliability,
    region: data.geolocation ?? null,
    verified: data.verification === undefined || data.verification === null ? null : data.verification === "verified",
    longestMs: durationS === null ? null : durationS * 1000,
    availability: null,
  };
}

export function ratesOf(
  gpuPerHourNanos: number,
  prices: Pick<z.output<typeof offer>, "storage_cost" | "inet_up_cost" | "inet_down_cost">,
  diskBytes: number,
): RentalRates | null {
  const storage = storagePerHourNanos(prices.storage_cost, diskBytes, monthHours);
  const upload = trafficPerGbNanos(prices.inet_up_cost);
  const download = trafficPerGbNanos(prices.inet_down_cost);
  if (storage === null || upload === null || download === null) return null;
  return {
    ...{ gpuPerHourNanos, storagePerHourNanos: storage, stoppedStoragePerHourNanos: storage },
    ...{ uploadPerGbNanos: upload, downloadPerGbNanos: download },
  };
}

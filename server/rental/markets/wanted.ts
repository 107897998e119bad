/** What a market was asked for and did not sort out itself, or sorts by another spelling. Pure. */
import { runningPerHourNanos } from "../../domain/rental/burn.ts";
import { gpuKey } from "../../domain/rental/gpu-name.ts";
import type { OfferFilter, RentalOffer } from "../../domain/rental/market.ts";

/** A reliability that nobody states is no reason against an offer. */
export function isWanted(offer: RentalOffer, filter: OfferFilter): boolean {
  const { gpu, gpuCount, leastVramBytes, leastReliability, mostPerHourNanos, mostDownloadPerGbNanos } = filter;
  const { rates, reliability } = offer;
  if (gpu !== undefined && gpuKey(gpu) !== gpuKey(offer.gpu)) return false;
  if (gpuCount !== undefined && offer.gpuCount !== gpuCount) return false;
  if (leastVramBytes !== undefined && offer.vramBytes < leastVramBytes) return false;
  if (leastReliability !== undefined && reliability !== null && reliability < leastReliability) return false;
  if (mostDownloadPerGbNanos !== undefined && rates.downloadPerGbNanos > mostDownloadPerGbNanos) return false;
  return mostPerHourNanos === undefined || runningPerHourNanos(rates) <= mostPerHourNanos;
}

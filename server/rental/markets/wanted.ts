/** What a market was asked for and did not sort out itself, or sorts by another spelling. Pure. */
import type { OfferFilter, RentalOffer } from "../../domain/rental/market.ts";
import { gpuKey } from "./amounts.ts";

/** A reliability that nobody states is no reason against an offer. */
export function isWanted(offer: RentalOffer, filter: OfferFilter): boolean {
  const { gpu, gpuCount, leastVramBytes, leastReliability, mostPerHourNanos, mostDownloadPerGbNanos } = filter;
  const { rates, reliability } = offer;
  if (gpu !== undefined && gpuKey(gpu) !== gpuKey(offer.gpu)) return false;
  if (gpuCount !== undefined && offer.gpuCount !== gpuCount) return false;
  if (leastVramBytes !== undefined && offer.vramBytes < leastVramBytes) return false;
  if (leastReliability !== undefined && reliability !== null && reliability < leastReliability) return false;
  if (mostDownloadPerGbNanos !== undefined && rates.downloadPerGbNanos > mostDownloadPerGbNanos) return false;
  return mostPerHourNanos === undefined || rates.gpuPerHourNanos + rates.storagePerHourNanos <= mostPerHourNanos;
}

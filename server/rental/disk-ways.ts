/** Where the weights of a rental may be kept, priced with its settings and rates. Pure: settings and the domain in, figures out. */
import type { RentalSetting } from "../config/rental-setting.ts";
import { nanosOfUsd } from "../domain/decimal.ts";
import { type DiskChoice, priceDisks, usualUse } from "../domain/rental/disk-choice.ts";
import type { RentalRates } from "../domain/rental/market.ts";
import type { MarketTraits } from "./market.ts";
import { gbBytes } from "./rent-ask.ts";

/** Null: nobody has said how large the weights are. `traits` null: its market is not in the settings any more. */
export function disksOf(
  { weightsGb, diskGb, volumeUsdPerGbMonth }: Pick<RentalSetting, "weightsGb" | "diskGb" | "volumeUsdPerGbMonth">,
  { gpuPerHourNanos, downloadPerGbNanos, stoppedStoragePerHourNanos }: RentalRates,
  traits: Pick<MarketTraits, "stops" | "volumes"> | null,
): DiskChoice | null {
  if (weightsGb === 0) return null;
  const hasVolumes = traits?.volumes === true && volumeUsdPerGbMonth !== undefined;
  return priceDisks({
    ...{ ...usualUse, weightsBytes: gbBytes(weightsGb), gpuPerHourNanos, downloadPerGbNanos },
    stoppedPerHourNanos: traits?.stops === true ? stoppedStoragePerHourNanos : null,
    volumePerGbMonthNanos: hasVolumes ? nanosOfUsd(volumeUsdPerGbMonth) : null,
    volumeBytes: gbBytes(diskGb),
  });
}

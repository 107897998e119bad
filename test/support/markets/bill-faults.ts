/**
 * What goes wrong with a stand-in market's bill, for as long as the fault is set: `bill-late` (nothing is billed yet), `bill-gap` (its first day
 * is missing), `bill-twice` (two rows for each day), `bill-nan` (amounts that are none).
 */
import type { DayBill } from "./meter.ts";
import type { House } from "./rented.ts";

export function billRows(house: House, id: string): readonly DayBill[] {
  const lines = house.bill(id);
  if (isFaulty(house, "bill-late")) return [];
  if (isFaulty(house, "bill-gap")) return lines.slice(1);
  return isFaulty(house, "bill-twice") ? lines.flatMap((line) => halves(line)) : lines;
}

/** A number of JSON, or what stands in its place. */
export function amountText(house: House, text: string): string {
  return isFaulty(house, "bill-nan") ? "#NaN" : `#${text}`;
}

function isFaulty(house: House, fault: string): boolean {
  return (house.faults.get(fault) ?? 0) > 0;
}

function halves({ day, gpuNanos, storageNanos, trafficNanos }: DayBill): readonly DayBill[] {
  const half = (nanos: number) => Math.floor(nanos / 2);
  const first = { day, gpuNanos: half(gpuNanos), storageNanos: half(storageNanos), trafficNanos: half(trafficNanos) };
  const second = {
    ...{ day, gpuNanos: gpuNanos - first.gpuNanos, storageNanos: storageNanos - first.storageNanos },
    trafficNanos: trafficNanos - first.trafficNanos,
  };
  return [first, second];
}

/** What the sums need, read from settings: the demand, the speed of a machine, what GPUs and a box of one's own cost. Pure. */
import { type Capacity, gpusToHold, scaledSpeed, weightBytes } from "./capacity.ts";
import type { Demand } from "./demand.ts";
import { cards } from "./instances/cards.ts";
import { type Instance, usualHourNanos } from "./instances/instance.ts";
import type { ApiFixed, Hosting, OwnBox } from "./option.ts";
import { type SettingName, type Settings, settingKinds } from "./settings.ts";

export function demandOf(settings: Settings): Demand {
  return {
    users: settingOf(settings, "users"),
    queriesPerUserDay: settingOf(settings, "queriesPerUserDay"),
    daysPerMonth: settingOf(settings, "daysPerMonth"),
    promptTokens: settingOf(settings, "promptTokens"),
    completionTokens: settingOf(settings, "completionTokens"),
    answersFromCachePercent: settingOf(settings, "answersFromCachePercent"),
    cachedPromptPercent: settingOf(settings, "cachedPromptPercent"),
    batchPercent: settingOf(settings, "batchPercent"),
  };
}

/** Where it is only assumed, the speed is that of the guide's model on the guide's card: it is carried over to this one. */
export function settingsFor(settings: Settings, { card, gpu }: Instance): Settings {
  const seen = settings.decodePerSecond;
  if (seen === null || seen.basis !== "assumed" || card === null) return settings;
  const { parametersBillions, bitsPerParameter } = settingKinds;
  const usualBytes = weightBytes((parametersBillions.assumed ?? 0) * 1e9, bitsPerParameter.assumed ?? 0);
  const bytes = modelBytes(settings);
  const value = scaledSpeed(
    { perSecond: seen.value, gigabytesPerSecond: cards.T4.gigabytesPerSecond, weightBytes: usualBytes },
    card.gigabytesPerSecond,
    bytes,
  );
  if (value === seen.value) return settings;
  const from = `${seen.value} tok/s of a T4 with 7B in 16 bits (${seen.from}), by the memory of a ${gpu} and the model's size`;
  return { ...settings, decodePerSecond: { value, basis: "estimated", from } };
}

export function modelBytes(settings: Settings): number {
  return weightBytes(settingOf(settings, "parametersBillions") * 1e9, settingOf(settings, "bitsPerParameter"));
}

/** `settings`: as `settingsFor` gives them. */
export function capacityOf(settings: Settings, { card }: Instance): Capacity {
  return {
    activeHoursPerDay: settingOf(settings, "activeHoursPerDay"),
    peakFactor: settingOf(settings, "peakFactor"),
    decodePerSecond: settingOf(settings, "decodePerSecond"),
    prefillPerSecond: settings.prefillPerSecond?.value ?? null,
    group: card === null ? 1 : gpusToHold(modelBytes(settings), card.gigabytes * 1e9),
  };
}

/** One GPU's share of a machine with several, rounded up: nobody rents a part. */
export function hostingOf(settings: Settings, instance: Instance): Hosting {
  return {
    capacity: capacityOf(settings, instance),
    hourNanos: Math.ceil(usualHourNanos(instance) / Math.max(1, instance.gpus)),
    hoursPerMonth: settingOf(settings, "hoursPerMonth"),
    reservedPercent: settingOf(settings, "reservedPercent"),
    operationsUsd: settingOf(settings, "operationsUsd"),
    operationsPerGpuUsd: settingOf(settings, "operationsPerGpuUsd"),
  };
}

export function settingOf(settings: Settings, name: SettingName): number {
  return settings[name]?.value ?? 0;
}

export function fixedOf(settings: Settings): ApiFixed {
  return {
    surroundingsUsd: settingOf(settings, "apiSurroundingsUsd"),
    operationsUsd: settingOf(settings, "apiOperationsUsd"),
  };
}

export function ownBoxOf(settings: Settings, busyHours: number): OwnBox {
  return {
    priceUsd: settingOf(settings, "boxUsd"),
    months: settingOf(settings, "boxMonths"),
    busyWatts: settingOf(settings, "busyWatts"),
    idleWatts: settingOf(settings, "idleWatts"),
    busyHoursPerDay: Number(busyHours.toFixed(3)),
    daysPerMonth: settingOf(settings, "daysPerMonth"),
    kwhUsd: settingOf(settings, "kwhUsd"),
  };
}

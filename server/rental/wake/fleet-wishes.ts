/** What `instances` of an entry of `rentals:` wishes, in numbers. Pure. */
import type { RentalSetting } from "../../config/rental-setting.ts";
import type { FleetWishes } from "../../domain/rental/fleet.ts";

export function wishesOf({ instances, idleStopMs, mayRent }: RentalSetting): FleetWishes {
  const { min, max, warm, hours, weekdaysOnly, scaleUpQueue } = instances;
  return { min, max, warm, hours: hoursOf(hours), weekdaysOnly, scaleUpQueue, idleStopMs, mayRent };
}

/** Of a machine that is there as the settings say: it is used when it answers, and nobody starts, stops or rents it. */
export function wishesOfFixed(setting: RentalSetting): FleetWishes {
  return { ...wishesOf(setting), min: 0, max: 1, warm: 0, idleStopMs: Number.POSITIVE_INFINITY, mayRent: false };
}

/** `08:00-18:30` → minutes of the day. */
function hoursOf(text: string | undefined): FleetWishes["hours"] {
  if (text === undefined) return null;
  const [from = 0, to = 0] = text.split("-").map((part) => {
    const [hour = 0, minute = 0] = part.split(":").map(Number);
    return hour * 60 + minute;
  });
  return { from, to };
}

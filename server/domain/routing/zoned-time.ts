/** Weekday and minute of the day where somebody lives. Pure. */

export const weekdays = Object.freeze(["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const);
export type Weekday = (typeof weekdays)[number];

export interface ZonedTime {
  readonly day: Weekday;
  /** 0 to 1439. */
  readonly minute: number;
}

/** Making one takes longer than using it, and a box has one zone or two. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** `zone`: an IANA name; null: the machine's own. Throws RangeError for a name nobody knows. */
export function zonedTime(atMs: number, zone: string | null): ZonedTime {
  let format = formats.get(zone ?? "");
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      ...(zone === null ? {} : { timeZone: zone }),
      ...{ weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    });
    formats.set(zone ?? "", format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const day = weekdays.find((name) => name === parts.get("weekday")?.toLowerCase()) ?? "mon";
  return { day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
}

/** `from` up to, and without, `to`; over midnight where `to` is earlier. The day is the one on which the span began. */
export function isWithin(time: ZonedTime, from: number, to: number, days: readonly Weekday[]): boolean {
  const on = (day: Weekday) => days.length === 0 || days.includes(day);
  if (from === to) return on(time.day);
  if (from < to) return time.minute >= from && time.minute < to && on(time.day);
  if (time.minute >= from) return on(time.day);
  const before = weekdays[(weekdays.indexOf(time.day) + 6) % 7] ?? time.day;
  return time.minute < to && on(before);
}

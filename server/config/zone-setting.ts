/** A time zone as the settings name it. Pure. */
import { z } from "zod";

/** Whether there is a zone of that IANA name. */
export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** Null: nobody chose one, and it is the machine's own. */
export function chosenZone(zone: string): string | null {
  return zone === "" ? null : zone;
}

/** Empty where nobody chose one: the machine's own. */
export const zoneOrOwn = z
  .string()
  .trim()
  .max(60)
  .default("")
  .refine((zone) => zone === "" || isZone(zone), 'must be a time zone such as "Europe/Berlin", or empty');

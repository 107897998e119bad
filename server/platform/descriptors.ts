/** What the system lets this process have open. Runs in the server process. */
import { readFileSync } from "node:fs";

/** Most open descriptors; null where the system does not say, or sets no limit. Node itself goes up to the hard limit. */
export function descriptorLimit(limitsFile = "/proc/self/limits"): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync(limitsFile, "utf8"));
    return line === null ? null : Number(line[1]);
  } catch {
    return null;
  }
}

/** A log that keeps what was said, for tests to read. */
import type { Log } from "../../server/domain/ports.ts";

export interface RecordedLog extends Log {
  /** `warn: an attempt was still open …`, oldest first. */
  readonly lines: readonly string[];
}

export function recordedLog(): RecordedLog {
  const lines: string[] = [];
  const keep = (level: string) => (_fields: object, message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
}

/**
 * The log of a process: one JSON object per line, to stderr. Runs in the server and its workers; wraps pino.
 *
 * Two promises hold whatever a caller passes: no key gets out, and no text of a client can draw on the terminal of
 * whoever reads the log.
 */
import pino from "pino";
import type { Log } from "../domain/ports.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  /** Takes each finished line, newline included. Default: written to stderr at once. */
  readonly write?: (line: string) => void;
  /** Takes out what was named as a secret while the process ran. */
  readonly hide?: (text: string) => string;
}

export interface ServiceLog extends Log {
  /** Writes out what is still held, before the process ends. */
  flush(): void;
}

const secretFields = ["authorization", "x-api-key", "apiKey", "cookie", "set-cookie", "secret", "key", "token"];

/** pino matches exact places only: the field itself, one level down (`headers`), two levels down (`request.headers`). */
const redactedPaths = secretFields.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

/** One of our keys inside any text, even where no field name gives it away. Its last four characters may be shown. */
const keyInText = /lth_[0-9A-Za-z]{39}([0-9A-Za-z]{4})/g;

/**
 * JSON escapes U+0000 to U+001F. These also move cursors, end lines or turn text around: DEL and C1 (U+009B starts a
 * terminal sequence like ESC [), line and paragraph separator, and the direction marks.
 */
const controlCharacters = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function makeSafe(line: string): string {
  return line
    .replace(keyInText, "lth_…$1")
    .replace(controlCharacters, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function createLog(options: LogOptions): ServiceLog {
  const { hide = (text: string) => text } = options;
  const destination =
    options.write === undefined ? pino.destination({ fd: 2, sync: true }) : { write: options.write, flushSync() {} };
  const log = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: "[redacted]" },
      hooks: { streamWrite: (line) => makeSafe(hide(line)) },
    },
    destination,
  );
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: () => destination.flushSync(),
  };
}

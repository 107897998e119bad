/**
 * Where a command's words go: data to stdout, everything else to stderr, one JSON value instead of text under `--json`.
 * Runs in the command's process; holds the only writes to the two streams.
 */
import type { Writable } from "node:stream";
import { type CommandFailure, failureJson, failureText } from "./errors.ts";
import { withUsd } from "./money-json.ts";

export interface OutputOptions {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly json: boolean;
  /** `--no-color` was given. */
  readonly plain: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Output {
  readonly json: boolean;
  /** The answer: the value as JSON under `--json`, else its text. A newline is added. */
  answer(value: unknown, text: () => string): void;
  /** A chunk of a long answer, written as it is. Resolves when more may follow, so that a slow reader slows the source. */
  chunk(text: string): Promise<void>;
  /** For the person watching: stderr, and nothing under `--json`, where stderr holds errors only. */
  note(text: string): void;
  fail(failure: CommandFailure): void;
  /** On a terminal a line that is rewritten as work goes on; elsewhere `title` at the start, and the end's line. */
  progress(title: string): Progress;
  /** Emphasis for a status word on stdout. The word says it all: colour never carries it alone. */
  paint(role: PaintRole, text: string): string;
}

export interface Progress {
  /** Replaces the line; shown at most five times a second, and on a terminal only. */
  update(text: string): void;
  /** Ends with a line that stays; null leaves nothing behind. */
  end(text: string | null): void;
}

export type PaintRole = "trouble" | "attention" | "strong";

const escapes: Readonly<Record<PaintRole, string>> = Object.freeze({ trouble: "31", attention: "33", strong: "1" });

/** Most often a progress line is written: more flickers and fills a slow connection. */
const progressGapMs = 200;

/** The rules of `NO_COLOR`, `--no-color`, `TERM=dumb` and pipes, for one stream. */
export function mayColour(
  isTerminal: boolean,
  plain: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const refused = environment.NO_COLOR;
  return isTerminal && !plain && (refused === undefined || refused === "") && environment.TERM !== "dumb";
}

export function createOutput(options: OutputOptions): Output {
  const { stdout, stderr, json } = options;
  const isSteerable = stderr.isTTY === true && options.environment.TERM !== "dumb";
  const colourOut = !json && mayColour(stdout.isTTY === true, options.plain, options.environment);
  const colourErr = !json && mayColour(stderr.isTTY === true, options.plain, options.environment);
  const coloured = (role: PaintRole, text: string, allowed: boolean) =>
    allowed ? `\u001b[${escapes[role]}m${text}\u001b[0m` : text;

  const note = (text: string) => {
    if (!json) stderr.write(`${text}\n`);
  };

  return {
    json,
    answer: (value, text) => {
      stdout.write(`${json ? JSON.stringify(withUsd(value), null, 2) : text()}\n`);
    },
    chunk: (text) => new Promise((resolve) => (stdout.write(text) ? resolve() : stdout.once("drain", resolve))),
    note,
    fail: (failure) => {
      const text = json ? failureJson(failure) : failureText(failure, (word) => coloured("trouble", word, colourErr));
      stderr.write(`${text}\n`);
    },
    progress: (title) => (json || !isSteerable ? lineProgress(title, note) : liveProgress(title, stderr)),
    paint: (role, text) => coloured(role, text, colourOut),
  };
}

function lineProgress(title: string, note: (text: string) => void): Progress {
  note(title);
  return {
    update: () => {},
    end: (text) => {
      if (text !== null) note(text);
    },
  };
}

function liveProgress(title: string, stderr: Writable & { columns?: number }): Progress {
  let writtenAtMs = performance.now();
  const clear = "\r\u001b[K";
  // One column is left free: a full line makes some terminals wrap, and then it cannot be rewritten.
  const show = (text: string) => stderr.write(clear + text.slice(0, (stderr.columns || 80) - 1));
  show(title);
  return {
    update: (text) => {
      const nowMs = performance.now();
      if (nowMs - writtenAtMs < progressGapMs) return;
      writtenAtMs = nowMs;
      show(text);
    },
    end: (text) => {
      stderr.write(text === null ? clear : `${clear}${text}\n`);
    },
  };
}

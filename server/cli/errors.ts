/**
 * What a command says when it cannot do what was asked: what happened, why, and what to do next, with its exit code.
 * Runs in the command's process. Imports no transport and no other room than the domain.
 */
import { Failure, type FailureCode, failureKinds } from "../domain/failure.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { printable } from "./text.ts";

export interface CommandFailureOptions {
  /** One sentence or fragment; empty when the message says it all. */
  readonly why?: string;
  /** Lines that work when pasted into a shell, likeliest first. */
  readonly next?: readonly string[];
  readonly cause?: unknown;
}

/** The command line's own failure: a `Failure` has an HTTP status, this has an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  /** Machine word: `no_server`, `confirmation_missing`, or the server's own failure code. */
  readonly code: string;
  readonly why: string;
  readonly next: readonly string[];

  constructor(exitCode: ExitCode, code: string, message: string, options: CommandFailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CommandFailure";
    this.exitCode = exitCode;
    this.code = code;
    this.why = options.why ?? "";
    this.next = options.next ?? [];
  }
}

/** Wrong usage: exit 2, with the command whose help says how. */
export function usageFailure(message: string, why: string, next: readonly string[]): CommandFailure {
  return new CommandFailure(exitCodes.usage, "usage", message, { why, next });
}

/** What an HTTP status of our server means to a script. A 400 is the command's own words being refused, so it is usage. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.key;
  if (status === 402) return exitCodes.budget;
  if (status === 404) return exitCodes.noSuchThing;
  if (status === 409 || status === 423 || status === 429 || status === 503 || status === 507) return exitCodes.noRoom;
  if (status === 502 || status === 504) return exitCodes.upstream;
  if (status >= 400 && status < 500) return exitCodes.usage;
  return exitCodes.failed;
}

export function exitCodeOfFailure(code: FailureCode): ExitCode {
  if (code === "cannot_start") return exitCodes.cannotStart;
  return exitCodeOfStatus(failureKinds[code].httpStatus);
}

/** Anything thrown inside a command becomes a CommandFailure. The unexpected keeps its own words: the user sits at this machine. */
export function asCommandFailure(thrown: unknown): CommandFailure {
  if (thrown instanceof CommandFailure) return thrown;
  if (thrown instanceof Failure) {
    return new CommandFailure(exitCodeOfFailure(thrown.code), thrown.code, thrown.message, {
      why: thrown.why ?? "",
      next: thrown.next,
      cause: thrown,
    });
  }
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new CommandFailure(exitCodes.failed, "internal", "This command met something it did not expect", {
    why,
    next: ["lanthorn doctor"],
    cause: thrown,
  });
}

/** The failure as people read it: aligned lines `error`, `why`, `next`, without a final newline. */
export function failureText(failure: CommandFailure, paint: (text: string) => string = (text) => text): string {
  const lines = [`${paint("error")}  ${printable(failure.message)}`];
  // Several things may be wrong at once: a line each.
  const reasons = failure.why === "" ? [] : failure.why.split("\n");
  reasons.forEach((reason, index) => {
    lines.push(`${index === 0 ? "why " : "    "}   ${printable(reason)}`);
  });
  failure.next.forEach((step, index) => {
    lines.push(`${index === 0 ? "next" : "    "}   ${printable(step)}`);
  });
  return lines.join("\n");
}

/** The failure under `--json`: one line of JSON for stderr. */
export function failureJson(failure: CommandFailure): string {
  const { code, message, why, next } = failure;
  return JSON.stringify({ error: { code, message, why, next } });
}

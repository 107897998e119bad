/**
 * What the upstream does is said by the model's name, which every gateway hands on: `whole-<hold>` answers in one piece after
 * `hold` milliseconds, `stream-<frames>-<pace>` in so many frames, one every `pace` milliseconds. Pure.
 *
 * Each answer says in its text when the upstream had the request and when it let go of it, in microseconds of the machine's
 * monotonic clock: so the upstream's own time, whatever its timers did, is no part of what a gateway is charged with.
 */

export interface StreamScript {
  readonly frames: number;
  readonly paceMs: number;
}

export type Script = { readonly kind: "whole"; readonly holdMs: number } | ({ readonly kind: "stream" } & StreamScript);

export function wholeModel(holdMs: number): string {
  return `whole-${holdMs}`;
}

export function streamModel({ frames, paceMs }: StreamScript): string {
  return `stream-${frames}-${paceMs}`;
}

/** `body`: the request as it came. Null: it names no script. */
export function scriptOf(body: string): Script | null {
  const [, kind, first, second] = /"model":\s*"(whole|stream)-(\d+)(?:-(\d+))?"/.exec(body) ?? [];
  if (kind === "whole") return { kind, holdMs: Number(first) };
  return kind === "stream" ? { kind, frames: Number(first), paceMs: Number(second) } : null;
}

export interface Stamp {
  /** Of the frame in its stream, from 0. */
  readonly number: number;
  readonly receivedUs: number;
  readonly sentUs: number;
}

/** Always as long, so that every answer is. */
export function stampText({ number, receivedUs, sentUs }: Stamp): string {
  return `#${String(number).padStart(5, "0")} ${String(receivedUs).padStart(13, "0")} ${String(sentUs).padStart(13, "0")} `;
}

/** The stamp in a frame or an answer; null: there is none. */
export function stampIn(text: string): Stamp | null {
  const found = /#(\d{5}) (\d{13,}) (\d{13,}) /.exec(text);
  if (found === null) return null;
  return { number: Number(found[1]), receivedUs: Number(found[2]), sentUs: Number(found[3]) };
}

/** Microseconds of the monotonic clock, which all processes of the machine share. */
export function monotonicUs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanos / 1000);
}

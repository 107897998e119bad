/**
 * What a box that nobody uses does next, and when: a model leaves memory, then the box itself stops, runs a command, or ends the
 * rental of its machine. Pure; times are monotonic.
 */

/** What the box itself does at the end. */
export type LastStep = "exit" | "command" | "stop-rental" | "destroy-rental";

export interface IdleSettings {
  readonly whenIdle: "stay" | LastStep;
  /** How long nobody must have asked. */
  readonly afterMs: number;
}

export interface IdleFacts {
  /** Requests and downloads under way. */
  readonly active: number;
  /** When the last of them ended; when the box started, if there was none. */
  readonly quietSinceMs: number;
  /** Somebody wants it awake until then; null: nobody does. */
  readonly awakeUntilMs: number | null;
  /** What was to happen in this quiet time has happened. */
  readonly done: boolean;
  /** When the next model leaves memory for want of use; null: none does. */
  readonly unloadAtMs: number | null;
}

export interface IdleStep {
  readonly step: "unload" | LastStep;
  readonly atMs: number;
}

/** The coming steps, soonest first. Empty: nothing is going to happen by itself. */
export function ladder(facts: IdleFacts, settings: IdleSettings): readonly IdleStep[] {
  const unload: readonly IdleStep[] = facts.unloadAtMs === null ? [] : [{ step: "unload", atMs: facts.unloadAtMs }];
  const last = lastStep(facts, settings);
  return [...unload, ...(last === null ? [] : [last])].sort((left, right) => left.atMs - right.atMs);
}

/** What the box itself does at the end; null: it stays, is in use, or has done it. */
export function lastStep(
  { active, done, quietSinceMs, awakeUntilMs }: Omit<IdleFacts, "unloadAtMs">,
  { whenIdle, afterMs }: IdleSettings,
): IdleStep | null {
  if (whenIdle === "stay" || active > 0 || done) return null;
  // A wish to stay awake counts as activity: the time begins when it ends.
  return { step: whenIdle, atMs: Math.max(quietSinceMs, awakeUntilMs ?? quietSinceMs) + afterMs };
}

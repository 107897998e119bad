/**
 * Drives the idle ladder: counts what is under way, waits, and does once per quiet time what the settings say. Runs in the
 * server process; the clock is passed in. Unloading models is the engine's; here it is only told of.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { type IdleSettings, type IdleStep, ladder, lastStep } from "./ladder.ts";
import { type RunningCommand, runCommand } from "./run-command.ts";

export interface IdleOptions {
  readonly settings: IdleSettings & { readonly command: readonly string[] };
  readonly clock: Clock;
  readonly log: Log;
  /** Epoch milliseconds at which the next model leaves memory for want of use; null: none does. */
  nextUnloadMs(): number | null;
  /** Ends the server, with a reason for people; running answers finish. */
  exit(reason: string): void;
  /** Ends the rental of this machine; absent: it is none. */
  endRental?(deed: "stop" | "destroy", reason: string): void;
}

export interface IdleView {
  /** The next step, and when: epoch milliseconds. Null: nothing is going to happen by itself. */
  readonly next: IdleStep["step"] | null;
  readonly at: number | null;
  /** This and the ones after it. */
  readonly steps: readonly { readonly step: IdleStep["step"]; readonly at: number }[];
  /** Epoch milliseconds; null: nobody wants it awake. */
  readonly awakeUntil: number | null;
}

export interface Idle {
  /** Something that keeps the box awake begins: a request, a download. Ends when the returned function is called, once. */
  begin(): () => void;
  /** The box stays awake until then, epoch milliseconds; null: it need not any more. */
  stayAwake(untilMs: number | null): void;
  view(): IdleView;
  stop(): void;
}

/** Throws Failure `cannot_start` for settings that do not go together. */
export function createIdle({ settings, clock, log, nextUnloadMs, exit, endRental }: IdleOptions): Idle {
  if (settings.whenIdle === "command" && settings.command.length === 0) throw noCommand();
  let active = 0;
  let quietSinceMs = clock.monotonicMs();
  let awakeUntilMs: number | null = null;
  let done = false;
  let stopped = false;
  let running: RunningCommand | null = null;
  let cancel = () => {};

  const facts = () => {
    const nowMs = clock.monotonicMs();
    if (awakeUntilMs !== null && awakeUntilMs + settings.afterMs <= nowMs) awakeUntilMs = null;
    return { active, quietSinceMs, awakeUntilMs, done };
  };
  const wallOf = (monotonicMs: number) => Math.round(clock.now() + monotonicMs - clock.monotonicMs());

  const watch = () => {
    cancel();
    const step = stopped ? null : lastStep(facts(), settings);
    cancel = step === null ? () => {} : clock.after(Math.max(0, step.atMs - clock.monotonicMs()), () => due(step));
  };
  const due = ({ step }: IdleStep) => {
    done = true;
    const quietMs = Math.round(clock.monotonicMs() - quietSinceMs);
    log.info({ step, quietMs }, "nobody needs this box");
    const reason = `nobody asked for ${Math.round(quietMs / 1_000)} s`;
    if (step === "exit") {
      exit(reason);
      return;
    }
    if (step === "stop-rental" || step === "destroy-rental") {
      endRental?.(step === "stop-rental" ? "stop" : "destroy", reason);
      return;
    }
    if (running !== null) return;
    const command = runCommand(settings.command, { clock, log });
    running = command;
    void command.ended.then(() => {
      running = null;
    });
  };
  watch();

  return {
    begin: () => {
      active += 1;
      done = false;
      watch();
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        active -= 1;
        quietSinceMs = clock.monotonicMs();
        watch();
      };
    },
    stayAwake: (untilMs) => {
      const leftMs = untilMs === null ? 0 : untilMs - clock.now();
      awakeUntilMs = leftMs > 0 ? clock.monotonicMs() + leftMs : null;
      done = false;
      quietSinceMs = clock.monotonicMs();
      watch();
    },
    view: () => {
      const unloadAt = nextUnloadMs();
      const unloadAtMs = unloadAt === null ? null : unloadAt - clock.now() + clock.monotonicMs();
      const steps = ladder({ ...facts(), unloadAtMs }, settings).map(({ step, atMs }) => ({ step, at: wallOf(atMs) }));
      const isAwake = awakeUntilMs !== null && awakeUntilMs > clock.monotonicMs();
      return {
        next: steps[0]?.step ?? null,
        at: steps[0]?.at ?? null,
        steps,
        awakeUntil: isAwake && awakeUntilMs !== null ? wallOf(awakeUntilMs) : null,
      };
    },
    stop: () => {
      stopped = true;
      cancel();
      running?.stop();
    },
  };
}

function noCommand(): Failure {
  return new Failure("cannot_start", "The settings for an idle box do not go together.", {
    why: "idle.whenIdle is command, and idle.command is empty.",
    next: ['export LANTHORN_IDLE_COMMAND=\'["systemctl","suspend"]\'', "export LANTHORN_IDLE_WHEN_IDLE=exit"],
    param: "idle.command",
  });
}

/**
 * Looks at the hardware in the background: at everything at the start and seldom after, at what changes by the second often.
 * Runs in the server process; nobody waits for it, and what it saw last is always at hand. One look at a time.
 */
import type { HardwareView } from "../domain/hardware.ts";
import type { Clock, GpuPromise, Log } from "../domain/ports.ts";
import { collectAll, type CollectOptions, collectLive } from "./collect.ts";
import { pictureOf } from "./merge.ts";
import type { Recording } from "./recording.ts";
import { askNodeAtOnce } from "./run/ask-node.ts";
import { machineTools, type Tools } from "./run/tools.ts";
import {
  lossText,
  lostFor,
  nothingSeen,
  promisedLosses,
  retryAfterMs,
  shownView,
  type Watch,
  watched,
} from "./watch.ts";

export interface SamplerOptions {
  readonly modelsFolder: string;
  /** Between two looks at what changes; 0: never looks. */
  readonly sampleMs: number;
  /** `cpu`: whoever runs this box said that a slow answer is better than none. */
  readonly whenGpuLost: "error" | "cpu";
  readonly clock: Clock;
  readonly log: Log;
  /** This machine's tools when absent. */
  readonly tools?: Tools;
  /** Something is different from what `view` gave before. */
  onChange(view: HardwareView): void;
}

export interface HardwareSampler extends GpuPromise {
  /** What was seen last, with the time it was seen. Before the first look: what Node knows, and no GPU. */
  view(): HardwareView;
  /** Resolves after the first look, or when it is stopped before. */
  readonly looked: Promise<void>;
  /** Ends a look that is under way; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** Cards do not come and go; what wakes, is lost or is missed is looked at sooner. */
const everythingAgainMs = 30 * 60_000;
/** Where no vendor's tool tells of what changes, only a look at everything does. */
const everythingAgainWithoutToolMs = 5 * 60_000;
/** The clocks went apart, or a timer came late, by this much: the machine slept. */
const sleepMs = 20_000;

export function startHardwareSampler(options: SamplerOptions): HardwareSampler {
  const { clock, log, sampleMs, modelsFolder } = options;
  const stopping = new AbortController();
  const tools = options.tools ?? machineTools(clock);
  const around: CollectOptions = { tools, modelsFolder, clock, signal: stopping.signal };
  let watch: Watch = nothingSeen;
  let shown = unlooked(sampleMs, options, tools);
  let recorded: Recording | null = null;
  let everythingDueMs = clock.monotonicMs();
  let planned = { ...timesOf(clock), afterMs: 0 };
  let cancelNext = () => {};
  let running: Promise<void> | null = null;
  let missed = false;
  let complained = false;

  /** What was seen becomes what is known. */
  const take = (recording: Recording, engineAsked: boolean) => {
    const picture = pictureOf(recording);
    complained = picture.complaints.length > 0;
    const before = watch;
    watch = watched(before, { picture, engineAsked }, clock.monotonicMs());
    tell(before, watch, log);
    const view = shownView(picture, watch);
    const isDifferent = JSON.stringify({ ...view, sampledAtMs: 0 }) !== JSON.stringify({ ...shown, sampledAtMs: 0 });
    shown = view;
    if (isDifferent) options.onChange(view);
  };

  const lookAtEverything = async () => {
    missed = false;
    const recording = await collectAll(around);
    if (stopping.signal.aborted) return;
    recorded = recording;
    const hasTool = [recording.nvidiaSmi?.answer, recording.rocmSmi].some((answer) => answer?.outcome === "printed");
    everythingDueMs = clock.monotonicMs() + (hasTool ? everythingAgainMs : everythingAgainWithoutToolMs);
    take(recording, true);
  };

  const look = async () => {
    const slept = hasSlept(planned, timesOf(clock), planned.afterMs);
    if (recorded === null || slept || missed || clock.monotonicMs() >= everythingDueMs) {
      if (slept) log.info({}, "the machine slept: its hardware is looked at anew");
      return lookAtEverything();
    }
    const recording = await collectLive(recorded, around);
    if (stopping.signal.aborted) return;
    const didComplain = complained;
    take(recording, false);
    // Only the engine can say whether a card that is listed again is of use.
    if (watch.returning || (didComplain && !complained)) await lookAtEverything();
  };

  const begin = (): Promise<void> => {
    running ??= look()
      .catch((error: unknown) => log.error({ error }, "the hardware could not be looked at"))
      .finally(() => {
        running = null;
        if (stopping.signal.aborted) return;
        planned = { ...timesOf(clock), afterMs: missed ? 0 : (retryAfterMs(watch) ?? sampleMs) };
        cancelNext = clock.after(planned.afterMs, () => void begin());
      });
    return running;
  };

  const looked = sampleMs > 0 ? begin() : Promise.resolve();
  return {
    view: () => shown,
    looked,
    isPromised: () => options.whenGpuLost === "error" && watch.promised !== "cpu",
    lost: (weightBytes) => {
      const reason = options.whenGpuLost === "error" ? lostFor(watch, weightBytes) : null;
      return reason === null ? null : { reason, retryAfterMs: retryAfterMs(watch) ?? sampleMs };
    },
    missed: () => {
      if (missed || sampleMs === 0 || stopping.signal.aborted) return;
      missed = true;
      // One that is under way is followed by another at once.
      if (running !== null) return;
      cancelNext();
      void begin();
    },
    stop: async () => {
      stopping.abort();
      cancelNext();
      await running;
    },
  };
}

interface Times {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

function timesOf(clock: Clock): Times {
  return { wallMs: clock.now(), monotonicMs: clock.monotonicMs() };
}

/**
 * Some systems let the monotonic clock stand still while they sleep, so the wall clock runs ahead of it; on others a timer comes
 * far too late. Somebody who sets the clock causes one look too many.
 */
export function hasSlept(before: Times, after: Times, plannedMs: number): boolean {
  const passedMs = after.monotonicMs - before.monotonicMs;
  return after.wallMs - before.wallMs - passedMs > sleepMs || passedMs - plannedMs > sleepMs;
}

function unlooked(sampleMs: number, { modelsFolder, clock }: SamplerOptions, tools: Tools): HardwareView {
  const { view } = pictureOf({
    lanthornMachine: 1,
    recordedAtMs: clock.now(),
    platform: tools.platform,
    arch: tools.arch,
    enginePackages: [],
    modelsFolder,
    nvidiaSmi: null,
    rocmSmi: null,
    engine: null,
    systeminformation: null,
    node: askNodeAtOnce(),
  });
  const reason =
    sampleMs === 0
      ? "Nobody looks at the hardware: hardware.sampleMs is 0."
      : "The hardware is being looked at for the first time.";
  return { ...view, engine: { gpu: "cpu", reason } };
}

function tell(before: Watch, now: Watch, log: Log): void {
  for (const loss of now.losses) {
    if (before.losses.some(({ id }) => id === loss.id)) continue;
    const promised = promisedLosses(now).some(({ id }) => id === loss.id);
    log.warn({ gpu: loss.id, promised, reason: loss.reason }, `GPU lost: ${lossText(loss)}`);
  }
  for (const loss of before.losses) {
    if (!now.losses.some(({ id }) => id === loss.id)) log.info({ gpu: loss.id }, `GPU back: ${loss.name}`);
  }
}

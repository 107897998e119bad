/**
 * Looks at the targets of an alias, as deep as is wished: who is there, who has the model, who answers with it. Asked for by
 * people only; requests find out by themselves. An answer brings a target back that was left alone. Server process.
 */
import type { Backend, ProbeDepth } from "../backends/backend.ts";
import { asFailure, type FailureCode } from "../domain/failure.ts";
import { type Target, targetName } from "../domain/routing/target.ts";
import { servedAs } from "./candidates.ts";
import type { Live } from "./live.ts";

export interface TargetProbe {
  readonly target: string;
  /** How deep the look went; null: nobody was asked, it is what this box knows by itself. */
  readonly depth: ProbeDepth | null;
  readonly able: boolean;
  readonly reason: string;
  readonly code: FailureCode | null;
  readonly tookMs: number;
}

export interface ProbePorts {
  readonly live: Live;
  backend(id: string): Backend | undefined;
}

/** Targets that are looked at in one go. */
const mostTargets = 100;

/** All at once, each target once. Never throws. */
export function probeTargets(
  targets: readonly Target[],
  depth: ProbeDepth,
  signal: AbortSignal,
  ports: ProbePorts,
): Promise<readonly TargetProbe[]> {
  const each = new Map(targets.map((target) => [targetName(target), target]));
  return Promise.all(
    [...each].slice(0, mostTargets).map(([name, target]) => probeTarget(name, target, depth, signal, ports)),
  );
}

async function probeTarget(
  name: string,
  target: Target,
  wished: ProbeDepth,
  signal: AbortSignal,
  { live, backend: backendOf }: ProbePorts,
): Promise<TargetProbe> {
  const backend = backendOf(target.backendId);
  const model = backend === undefined ? undefined : servedAs(backend, target);
  const alias = model?.alias ?? target.model;
  // A look wakes no machine: of one that is not on, what is known here is all there is to see.
  const isOff = (backend?.power?.().state ?? "ready") !== "ready";
  if (backend?.probe === undefined || isOff) {
    const { able, reason } = backend?.health(alias) ?? { able: false, reason: "no such backend" };
    return { target: name, depth: null, able, reason, code: null, tookMs: 0 };
  }
  // The smallest question is a chat, which not every model knows.
  const chats = model?.capabilities.includes("chat") ?? true;
  const depth = wished === "answers" && !chats ? "listed" : wished;
  try {
    const { able, reason, failure, tookMs } = await backend.probe(depth, alias, signal);
    if (able && depth === "answers") live.answered(name);
    return { target: name, depth, able, reason, code: failure?.code ?? null, tookMs };
  } catch (thrown) {
    const { code, message } = asFailure(thrown);
    return { target: name, depth, able: false, reason: message, code, tookMs: 0 };
  }
}

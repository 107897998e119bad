/**
 * Which targets are tried for a request, in which order and why. Pure. The router carries the plan out; people read its
 * reasons in the ledger, in `route explain` and on the screen, all made by `planRecord`.
 */
import type { AttemptSize } from "../budget/attempt-size.ts";
import type { Choice, Passed } from "./choose.ts";
import { type Exclusion, exclusionOf } from "./filter.ts";
import { type RouteMode, routeModes } from "./modes.ts";
import { type AsideRole, asideRoles } from "./modes/settings.ts";
import type { ExclusionCode, ReasonCode } from "./reasons.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { Route, RouteLimits } from "./route.ts";
import { strategies } from "./strategies/index.ts";
import type { Placed } from "./strategies/strategy.ts";
import { type Candidate, type Target, targetName } from "./target.ts";

export { type Target, targetName } from "./target.ts";
export { type ReasonCode, reasonWords } from "./reasons.ts";
export { similarNames } from "./similar-names.ts";

export interface PlannedAttempt {
  readonly target: Target;
  readonly reason: ReasonCode;
  /** The most that it may use; absent: nobody said. */
  readonly size?: () => AttemptSize;
}

export interface PlanStep extends PlannedAttempt {
  /** Index into the route's groups. */
  readonly group: number;
  readonly detail: string;
  /** Tokens; 0: not known. */
  readonly contextLength: number;
}

export interface Excluded extends Exclusion {
  readonly target: Target;
  readonly group: number;
  /** When it might be different, for the client's Retry-After; null: nobody knows. */
  readonly leftMs: number | null;
}

export interface Plan {
  readonly alias: string;
  readonly route: Route;
  readonly via: readonly Passed[];
  readonly facts: RequestFacts;
  /** The answer's bound: what was asked for, at most the route's cap. */
  readonly maxTokens: number | null;
  readonly attempts: readonly PlanStep[];
  readonly excluded: readonly Excluded[];
  /** Indices of the route's groups in the order they are used. */
  readonly groups: readonly number[];
  /** Who is asked on the side, each with a plan of its own under the same bounds. */
  readonly asides: Readonly<Partial<Record<AsideRole, Plan>>>;
}

/** One random number and one turn per plan, so that a plan can be foretold. */
export interface Lot {
  readonly random: number;
  readonly turn: number;
}

/** `candidates`: those of each group of the route, in the route's order. */
export function makePlan(
  alias: string,
  choice: Choice,
  candidates: readonly (readonly Candidate[])[],
  facts: RequestFacts,
  lot: Lot,
): Plan {
  const { route, groups, via } = choice;
  const excluded: Excluded[] = [];
  const fit = new Map<number, Candidate[]>();
  /** Left out for what they may say themselves, and better: they are asked when nobody else is there. */
  const lastResort = new Map<number, Candidate[]>();
  for (const [group, members] of candidates.entries()) {
    for (const candidate of members) {
      const isChosen = groups.includes(group);
      const why: Exclusion | null = isChosen
        ? exclusionOf(candidate, facts, route)
        : { reason: "not_by_rule", detail: via.at(-1)?.rule ?? "" };
      if (why === null) put(fit, group, candidate);
      else {
        if (speaksForItself.has(why.reason)) put(lastResort, group, candidate);
        excluded.push({ ...why, target: candidate.target, group, leftMs: leftMsOf(candidate, why) });
      }
    }
  }
  const isLastResort = fit.size === 0 && !excluded.some(({ reason }) => passes.has(reason));
  const chosen = isLastResort ? lastResort : fit;
  const isAlone = groups.reduce((sum, group) => sum + (candidates[group]?.length ?? 0), 0) === 1;
  const attempts = groups.flatMap((group) => {
    const settings = route.groups[group];
    if (settings === undefined) return [];
    const facts = { ...lot, prefer: settings.prefer };
    const placed = strategies[settings.strategy].order(chosen.get(group) ?? [], facts);
    const part = routeModes[route.mode][group === groups[0] ? "first" : "later"];
    return placed.map((one): PlanStep => inPart(stepOf(one, group, isAlone), part));
  });
  const isTried = ({ target, group }: Excluded) =>
    attempts.some((step) => step.group === group && targetName(step.target) === targetName(target));
  return {
    alias,
    route,
    via,
    facts,
    maxTokens: capped(facts.maxTokens, route.limits.maxOutputTokens),
    attempts,
    excluded: isLastResort ? excluded.filter((one) => !isTried(one)) : excluded,
    groups,
    asides: {},
  };
}

/** Its part in the route's mode is why it is asked; the strategy's reason goes into the detail. */
function inPart(step: PlanStep, part: ReasonCode | null): PlanStep {
  if (part === null) return step;
  const detail = [step.reason, step.detail].filter((text) => text !== "" && text !== "only_target").join(", ");
  return { ...step, reason: part, detail };
}

/** The same plan with some of its steps, and so many tries in all: 1 or more. */
export function partOf(plan: Plan, attempts: readonly PlanStep[], maxAttempts: number): Plan {
  const limits = { ...plan.route.limits, maxAttempts };
  return { ...plan, attempts, route: { ...plan.route, limits } };
}

/** Time alone mends these, and a client is told how much of it. */
const passes: ReadonlySet<ExclusionCode> = new Set(["cooling_down", "waking"]);

function leftMsOf({ cooldown, power }: Candidate, { reason }: Exclusion): number | null {
  if (reason === "waking") return power?.expectedMs ?? null;
  return reason === "cooling_down" ? cooldown.leftMs : null;
}

/** The target's own refusal is exact where ours is a guess or second-hand. */
const speaksForItself: ReadonlySet<ExclusionCode> = new Set(["not_able", "context_too_short"]);

function put(groups: Map<number, Candidate[]>, group: number, candidate: Candidate): void {
  groups.set(group, [...(groups.get(group) ?? []), candidate]);
}

function stepOf({ candidate, reason, detail }: Placed, group: number, isAlone: boolean): PlanStep {
  const { target, contextLength, cooldown, power, whileAsleep } = candidate;
  if (power?.state === "asleep" || power?.state === "waking") {
    const meanwhile = whileAsleep === "wait" ? "the request waits for it" : isAlone ? "" : "others answer meanwhile";
    return { target, reason: "wakes", group, detail: `${power.words}${meanwhile && `; ${meanwhile}`}`, contextLength };
  }
  const why = cooldown.state === "half-open" ? "probe" : isAlone ? "only_target" : reason;
  return { target, reason: why, group, detail: why === reason ? detail : "", contextLength };
}

/** Most tokens to ask for: the client's wish, at most the route's cap. */
export function capped(asked: number | null, cap: number | null): number | null {
  if (asked === null || cap === null) return asked ?? cap;
  return Math.min(asked, cap);
}

/** A plan as JSON: what `explain` prints and a row keeps. */
export interface PlanRecord {
  readonly alias: string;
  /** The alias that answers in the end. */
  readonly route: string;
  readonly mode: RouteMode;
  /** Rules that applied, in their order. */
  readonly via: readonly Passed[];
  readonly facts: RequestFacts;
  readonly maxTokens: number | null;
  readonly limits: RouteLimits;
  readonly attempts: readonly {
    readonly target: string;
    readonly group: string;
    readonly reason: ReasonCode;
    readonly detail: string;
  }[];
  readonly excluded: readonly {
    readonly target: string;
    readonly group: string;
    readonly reason: ExclusionCode;
    readonly detail: string;
  }[];
  /** Who is asked on the side; absent: nobody. */
  readonly asides?: readonly (Pick<PlanRecord, "attempts" | "excluded"> & { readonly role: AsideRole })[];
}

export function planRecord(plan: Plan): PlanRecord {
  const { alias, route, via, facts, maxTokens } = plan;
  const groupName = (group: number) => route.groups[group]?.name ?? String(group + 1);
  const asides = asideRoles.flatMap((role) => {
    const aside = plan.asides[role];
    if (aside === undefined) return [];
    const { attempts, excluded } = planRecord(aside);
    return [{ role, attempts, excluded }];
  });
  return {
    alias,
    route: route.alias,
    mode: route.mode,
    via,
    facts: { ...facts },
    maxTokens,
    limits: route.limits,
    attempts: plan.attempts.map(({ target, group, reason, detail }) => ({
      target: targetName(target),
      group: groupName(group),
      reason,
      detail,
    })),
    excluded: plan.excluded.map(({ target, group, reason, detail }) => ({
      target: targetName(target),
      group: groupName(group),
      reason,
      detail,
    })),
    ...(asides.length === 0 ? {} : { asides }),
  };
}

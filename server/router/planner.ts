/**
 * Makes plans: gathers the facts of a request and of the targets it could go to, counts the prompt where its exact length
 * decides something, and hands everything to `domain/routing`. Server process.
 */
import type { Backend, ChatContext } from "../backends/backend.ts";
import type { UpstreamName } from "../domain/attempt-cost.ts";
import type { ChatRequest } from "../domain/chat.ts";
import type { Clock } from "../domain/ports.ts";
import type { Pricing } from "../domain/pricing/priced.ts";
import { asideChoice, asideFacts } from "../domain/routing/modes/asides.ts";
import { asideRoles } from "../domain/routing/modes/settings.ts";
import { type Choice, choose, dependsOnLength } from "../domain/routing/choose.ts";
import { capped, type Lot, makePlan, type Plan } from "../domain/routing/plan.ts";
import { unknownModel } from "../domain/routing/refusal.ts";
import { type AskedBy, noWishes, type RequestFacts } from "../domain/routing/request-facts.ts";
import type { Route, RouteTarget } from "../domain/routing/route.ts";
import { type Target, targetName } from "../domain/routing/target.ts";
import { candidateOf, servedAs } from "./candidates.ts";
import type { Live } from "./live.ts";

export interface PlannerPorts {
  readonly clock: Clock;
  readonly live: Live;
  readonly pricing: Pricing | null;
  billedBy(target: Target): UpstreamName | null;
  random(): number;
  backend(id: string): Backend | undefined;
  routeOf(alias: string): Route | undefined;
  /** Every name that can be asked for. */
  names(): readonly string[];
  /** What is left of a caller's budget, 0 to 1; null: it has none. */
  budgetLeft(callerId: string, callerName: string): number | null;
}

export interface Planner {
  askedBy(context: ChatContext): AskedBy;
  /** `request`: what may be counted; null: the facts are all there is. */
  plan(alias: string, facts: RequestFacts, request: ChatRequest | null): Promise<Plan>;
  /** The plan that the next such request gets; it uses no turn up. */
  foretell(alias: string, facts: RequestFacts): Plan;
  /** What the alias itself leads to before its rules are asked, and who is asked on its side. */
  entry(alias: string, facts: RequestFacts): Plan;
  /** The same route for a request that has become another one. */
  again(plan: Plan, facts: RequestFacts): Plan;
}

/** An estimate of a prompt's length is within this factor of the truth. */
const estimateFactor = 2;

export function createPlanner(ports: PlannerPorts): Planner {
  const { live, pricing } = ports;
  /** The next lot of each route, drawn before it is needed, so that it can be foretold. */
  const lots = new Map<string, Lot>();
  const lotOf = (alias: string): Lot => {
    const lot = lots.get(alias) ?? { random: ports.random(), turn: 0 };
    lots.set(alias, lot);
    return lot;
  };

  const chosen = (alias: string, facts: RequestFacts): Choice => {
    const choice = choose(alias, ports.routeOf, facts);
    if (choice === null) throw unknownModel(alias, ports.names());
    return choice;
  };

  /** Only the engine counts: it does so here, and nothing leaves the box. */
  const counts = (member: RouteTarget) => {
    const backend = ports.backend(member.target.backendId);
    const model = backend === undefined ? undefined : servedAs(backend, member.target);
    return backend?.kind === "engine" && model !== undefined ? { backend, model } : null;
  };

  async function count(member: RouteTarget, request: ChatRequest): Promise<number | null> {
    const by = counts(member);
    if (by === null) return null;
    // What cannot be counted is refused by the target itself, in better words.
    return by.backend.count({ ...request, model: by.model.alias }).catch(() => null);
  }

  /** Rules about length are asked with the truth where the estimate could be wrong about them. */
  async function withLength(alias: string, facts: RequestFacts, request: ChatRequest): Promise<RequestFacts> {
    if (!dependsOnLength(alias, ports.routeOf, facts)) return facts;
    const members = ports.routeOf(alias)?.groups.flatMap(({ targets }) => targets) ?? [];
    const counting = members.find((member) => counts(member) !== null);
    const promptTokens = counting === undefined ? null : await count(counting, request);
    return promptTokens === null ? facts : { ...facts, promptTokens, counted: true };
  }

  /** Where a context could be too short or not, and somebody else could answer, the target counts for itself. */
  async function exactLengths(
    route: Route,
    facts: RequestFacts,
    request: ChatRequest,
  ): Promise<ReadonlyMap<string, number>> {
    const exact = new Map<string, number>();
    const members = route.groups.flatMap(({ targets }) => targets);
    if (members.length < 2) return exact;
    for (const member of members) {
      const name = targetName(member.target);
      const contextLength = member.contextLength ?? counts(member)?.model.contextLength ?? 0;
      const isSure =
        facts.promptTokens * estimateFactor < contextLength || facts.promptTokens > contextLength * estimateFactor;
      if (contextLength === 0 || isSure || exact.has(name)) continue;
      const promptTokens = await count(member, request);
      if (promptTokens !== null) exact.set(name, promptTokens);
    }
    return exact;
  }

  function made(alias: string, choice: Choice, facts: RequestFacts, exact: ReadonlyMap<string, number>): Plan {
    const { route } = choice;
    const maxTokens = capped(facts.maxTokens, route.limits.maxOutputTokens);
    const candidates = route.groups.map(({ targets }) =>
      targets.map((member) => {
        const backend = ports.backend(member.target.backendId);
        const counted = exact.get(targetName(member.target)) ?? null;
        return candidateOf(member, {
          backend,
          live,
          facts,
          promptTokens: counted,
          maxTokens,
          pricing,
          whileAsleep: route.whileAsleep,
          billedBy: ports.billedBy,
        });
      }),
    );
    const lot = lotOf(route.alias);
    const plan = makePlan(alias, choice, candidates, facts, lot);
    const asides = asideRoles.flatMap((role) => {
      const aside = asideChoice(route, role);
      if (aside === null) return [];
      const made = makeOne(alias, aside, asideFacts(facts, role));
      return [[role, { ...made, attempts: made.attempts.map((step) => ({ ...step, reason: role })) }] as const];
    });
    return asides.length === 0 ? plan : { ...plan, asides: Object.fromEntries(asides) };
  }

  const makeOne = (alias: string, choice: Choice, facts: RequestFacts) => made(alias, choice, facts, new Map());

  return {
    askedBy: ({ callerName, callerId, wishes }) => ({
      caller: callerName,
      wishes: wishes ?? noWishes,
      atMs: ports.clock.now(),
      budgetLeft: ports.budgetLeft(callerId ?? callerName, callerName),
    }),
    async plan(alias, estimated, request) {
      const facts = request === null ? estimated : await withLength(alias, estimated, request);
      const choice = chosen(alias, facts);
      const exact = request === null ? new Map<string, number>() : await exactLengths(choice.route, facts, request);
      const plan = made(alias, choice, facts, exact);
      const { turn } = lotOf(choice.route.alias);
      lots.set(choice.route.alias, { turn: turn + 1, random: ports.random() });
      return plan;
    },
    entry(alias, facts) {
      const route = ports.routeOf(alias);
      if (route === undefined) throw unknownModel(alias, ports.names());
      return made(alias, { route, groups: route.groups.map((_, index) => index), via: [] }, facts, new Map());
    },
    again: ({ alias, route, groups, via }, facts) => made(alias, { route, groups, via }, facts, new Map()),
    foretell: (alias, facts) => made(alias, chosen(alias, facts), facts, new Map()),
  };
}

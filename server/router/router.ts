/**
 * From an alias to an answer: finds what the alias leads to, plans and carries the plan out. Runs in the server process and
 * knows backends by their contract only. Plans are made in `planner.ts`, walked in `carry-out.ts`.
 */
import type { Backend, ChatContext, ProbeDepth } from "../backends/backend.ts";
import type { UpstreamName } from "../domain/attempt-cost.ts";
import { type AttemptSize, sizeOfChat, sizeOfEmbedding, sizeOfRerank } from "../domain/budget/attempt-size.ts";
import type { ChatEvent, ChatRequest, EndEvent } from "../domain/chat.ts";
import type { EmbedRequest, RerankRequest, Scores, Vectors, WholeEvent } from "../domain/embedding.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Capability, ServedModel } from "../domain/model.ts";
import { later } from "../domain/passing.ts";
import type { Clock } from "../domain/ports.ts";
import type { Pricing } from "../domain/pricing/priced.ts";
import { estimatedInputTokens } from "../domain/prompt-estimate.ts";
import { wrongModel } from "../domain/routing/capability.ts";
import { capped, type Plan, type PlanRecord, planRecord } from "../domain/routing/plan.ts";
import { nobodyLeft, unknownModel } from "../domain/routing/refusal.ts";
import {
  factsOfChat,
  noWishes,
  type RequestFacts,
  requestFacts,
  type RouteWishes,
} from "../domain/routing/request-facts.ts";
import { shortName } from "../domain/routing/resolve.ts";
import { type Route, routeToOne } from "../domain/routing/route.ts";
import type { RouteSetting } from "../domain/routing/settings.ts";
import { type Target, targetName } from "../domain/routing/target.ts";
import { systemClock } from "../platform/clock.ts";
import type { AnyEvent } from "./attempt.ts";
import { nameAt } from "./candidates.ts";
import { type AttemptHooks, carryOut, type JourneyPorts } from "./carry-out.ts";
import { createLive } from "./live.ts";
import { runModes } from "./modes/run.ts";
import { createPlanner } from "./planner.ts";
import { probeTargets, type TargetProbe } from "./probe.ts";

import { createRouteTable, type RouteTable } from "./route-table.ts";
import type { ShadowWish } from "./shadow.ts";
import { type RouteView, routeAsModel, routeView, type TargetView, targetView } from "./views.ts";

export type { AttemptHooks } from "./carry-out.ts";
export type { TargetProbe } from "./probe.ts";
export type { RouteView, TargetView } from "./views.ts";

/** A name that somebody answers for, and what it is asked for. */
export interface Destination {
  readonly alias: string;
  readonly capability: Capability;
}

/** A copy of a request, for comparison. */
export interface Shadow extends ShadowWish {
  run(context: ChatContext, signal: AbortSignal, hooks: AttemptHooks): AsyncIterable<ChatEvent>;
}

export interface Router {
  /** Every model and alias that can be asked for. */
  models(): readonly ServedModel[];
  /** Throws `model_not_found`, naming what may have been meant, or `invalid_request`, naming models that can do that. */
  plan(alias: string, capability?: Capability): Destination;
  /** Tokens of the prompt, counted by the first place of the plan that can; places that are not in it hear nothing. */
  count(destination: Destination, request: ChatRequest, wishes?: RouteWishes): Promise<number>;
  /**
   * Throws a Failure only before the first event. A failed attempt is followed by what its plan says as long as nothing of an
   * answer has left and the failure says that it may help.
   */
  run(
    destination: Destination,
    request: ChatRequest,
    context: ChatContext,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<ChatEvent>;
  /** Whether any route copies requests: where none does, nothing has to be looked at. */
  readonly copies: boolean;
  /** Where a copy of such a request goes once it was answered; null: nowhere, or nowhere it may. */
  shadow(destination: Destination, request: ChatRequest, context: ChatContext): Shadow | null;
  /** As `run`, for answers in one piece. */
  embed(
    destination: Destination,
    request: EmbedRequest,
    context: ChatContext,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<WholeEvent<Vectors>>;
  rerank(
    destination: Destination,
    request: RerankRequest,
    context: ChatContext,
    signal: AbortSignal,
    hooks: AttemptHooks,
  ): AsyncIterable<WholeEvent<Scores>>;
  /** The plan that such a request would get now. */
  explain(alias: string, facts?: Partial<RequestFacts>): PlanRecord;
  /** The aliases of the settings. */
  routes(): readonly RouteView[];
  /** Asks every target of the alias, as deep as is wished. Throws `model_not_found`; what a target says is no failure. */
  probe(alias: string, depth: ProbeDepth, signal: AbortSignal): Promise<readonly TargetProbe[]>;
  /** Its keys or settings are others: whoever was left alone there may be asked again. */
  forgive(backendId: string): void;
  /** Other routes beside them, under names of their own, which may take their place. */
  readonly tryOut: RouteTable["tryOut"];
  /** Every target of a route or that was asked: how it is, how fast, until when it is left alone. */
  state(): readonly TargetView[];
}

export interface RouterOptions {
  readonly routes?: Readonly<Record<string, RouteSetting>>;
  readonly clock?: Clock;
  /** From 0 up to, and without, 1. */
  random?(): number;
  readonly pricing?: Pricing;
  /** Whose prices a target is billed by; null: nobody's. Absent: each backend but the engine bills under its own id. */
  billedBy?(target: Target): UpstreamName | null;
  /** Ids of backends that are set up and not to be asked now: routes may name them, and leave them out. */
  readonly away?: readonly string[];
  /** By the caller's id and name; null: it has no budget. */
  budgetLeft?(callerId: string, callerName: string): number | null;
}

/** How a plan is carried out: the most an attempt may use, and who is asked under which name with which bound. */
interface Asking<Event> {
  readonly signal: AbortSignal;
  readonly hooks: AttemptHooks;
  size(maxTokens: number | null): AttemptSize;
  /** `said`: what the route adds to what is known of the request. */
  ask(
    backend: Backend,
    model: string,
    maxTokens: number | null,
    signal: AbortSignal,
    said: Pick<ChatContext, "whileAsleep">,
  ): AsyncIterable<Event>;
}

/** Targets that are shown at most. */
const mostKnown = 1_000;

/** Throws `cannot_start` with everything that is wrong with the routes. */
export function createRouter(
  backends: readonly Backend[] | (() => readonly Backend[]),
  options: RouterOptions = {},
): Router {
  const { clock = systemClock, random = Math.random } = options;
  const all = typeof backends === "function" ? backends : () => backends;
  const backend = (id: string) => all().find((one) => one.id === id);
  const table = createRouteTable(options.routes ?? {}, { backends: all, away: options.away ?? [] });
  const live = createLive(clock);
  /** Those of the settings, and others once they were asked: clients choose their names, so there is a bound. */
  const known = new Map<string, Target>();
  for (const route of table.live.values()) {
    for (const { target } of route.groups.flatMap(({ targets }) => targets)) known.set(targetName(target), target);
  }

  /** The settings' routes, and one to each served model that they do not mention. */
  const routeOf = (alias: string): Route | undefined => {
    const route = table.get(alias);
    if (route !== undefined) return route;
    const serving = all().find((one) => answersFor(one, alias) !== null);
    return serving && routeToOne(alias, { backendId: serving.id, model: shortName(serving.id, alias) });
  };
  const models = (): readonly ServedModel[] => [
    ...[...table.live.values()].map((route) => routeAsModel(route, backend)),
    ...all()
      .flatMap((one) => one.served())
      .filter((model) => !table.live.has(model.alias)),
  ];
  const served = (alias: string) => all().flatMap((one) => answersFor(one, alias) ?? [])[0];
  const names = () => models().map((model) => model.alias);

  const planner = createPlanner({
    ...{ clock, live, random, backend, routeOf, names },
    pricing: options.pricing ?? null,
    billedBy: options.billedBy ?? (({ backendId, model }) => ({ provider: backendId, model })),
    budgetLeft: options.budgetLeft ?? (() => null),
  });
  const ports: JourneyPorts = { clock, live, random, backend };

  const remember = (plan: Plan) => {
    for (const { target } of plan.attempts) if (known.size < mostKnown) known.set(targetName(target), target);
  };

  /** A plan that is made, carried out. */
  function carried<Event extends AnyEvent>(
    plan: Plan,
    startedMs: number,
    { signal, hooks, size, ask }: Asking<Event>,
  ): AsyncIterable<Event | EndEvent> {
    hooks.planned?.(planRecord(plan));
    return carryOut<Event>(
      {
        ...{ plan, signal, hooks, startedMs },
        size: () => size(plan.maxTokens),
        ask: (one, { target }, inner, bound) =>
          ask(one, nameAt(one, target), capped(plan.maxTokens, bound), inner, saidBy(plan.route)),
      },
      ports,
    );
  }

  function journey<Event extends AnyEvent>(
    { alias }: Destination,
    facts: RequestFacts,
    request: ChatRequest | null,
    asking: Asking<Event>,
  ): AsyncIterable<Event | EndEvent> {
    return later(async () => {
      const startedMs = clock.monotonicMs();
      const plan = await planner.plan(alias, facts, request);
      remember(plan);
      return carried(plan, startedMs, asking);
    });
  }

  const viewOf = (target: Target) =>
    targetView(target, backend(target.backendId), live.view(targetName(target)), clock.now());

  return {
    models,
    plan(alias, capability = "chat") {
      const can = (model: ServedModel) => model.capabilities.includes(capability);
      const route = table.get(alias);
      const model = route === undefined ? served(alias) : routeAsModel(route, backend);
      if (model === undefined) throw unknownModel(alias, names());
      // A route whose targets are all away right now says so itself.
      if (can(model) || model.capabilities.length === 0) return { alias, capability };
      throw wrongModel(
        alias,
        capability,
        models()
          .filter(can)
          .map((one) => one.alias),
      );
    },
    async count({ alias }, request, wishes = noWishes) {
      const asked = { caller: "", wishes, atMs: clock.now(), budgetLeft: null };
      const plan = planner.foretell(alias, factsOfChat(request, asked));
      if (plan.attempts.length === 0) throw nobodyLeft(plan);
      let failure = new Failure("internal", "There is nobody to count.");
      for (const { target } of plan.attempts) {
        const one = backend(target.backendId);
        if (one === undefined) continue;
        try {
          return await one.count({ ...request, model: nameAt(one, target) });
        } catch (thrown) {
          failure = asFailure(thrown);
          if (!failure.kind.mayFallBack) break;
        }
      }
      throw failure;
    },
    run(destination, request, context, signal, hooks) {
      const { alias } = destination;
      const facts = factsOfChat(request, planner.askedBy(context));
      if (isPlain(alias, table.get)) {
        return journey(destination, facts, request, { signal, hooks, ...chatting(request, context) });
      }
      return runModes({
        ...{ alias, facts, request, signal, hooks, planner, ports },
        planned: remember,
        ask: (one, plan, { target }, wanted, inner, bound) => {
          const model = nameAt(one, target);
          const maxTokens = capped(capped(wanted.maxTokens, plan.route.limits.maxOutputTokens), bound);
          return one.chat({ ...wanted, model, maxTokens }, { ...context, ...saidBy(plan.route) }, inner);
        },
      });
    },
    get copies() {
      return table.copies;
    },
    shadow({ alias }, request, context) {
      if (!table.live.has(alias)) return null;
      const whole = planner.foretell(alias, factsOfChat(request, planner.askedBy(context)));
      const plan = whole.asides.shadow;
      const bounds = whole.route.modes.shadow;
      const first = plan?.attempts[0];
      if (plan === undefined || first === undefined || bounds === null) return null;
      const { wire: _wire, ...copy } = request;
      return {
        ...{ ...bounds, alias: whole.route.alias, target: targetName(first.target) },
        run(own, signal, hooks) {
          return carried(plan, clock.monotonicMs(), { signal, hooks, ...chatting(copy, own) });
        },
      };
    },
    embed: (destination, request, context, signal, hooks) =>
      journey(destination, factsOfPooled("embeddings", inputsOf(request), context), null, {
        ...{ signal, hooks },
        size: () => sizeOfEmbedding(request),
        ask: (one, model, _, inner, said) => one.embed({ ...request, model }, { ...context, ...said }, inner),
      }),
    rerank: (destination, request, context, signal, hooks) =>
      journey(destination, factsOfPooled("rerank", [request.query, ...request.documents], context), null, {
        ...{ signal, hooks },
        size: () => sizeOfRerank(request),
        ask: (one, model, _, inner, said) => one.rerank({ ...request, model }, { ...context, ...said }, inner),
      }),
    explain: (alias, facts = {}) => planRecord(planner.foretell(alias, requestFacts({ atMs: clock.now(), ...facts }))),
    probe: async (alias, depth, signal) => {
      const route = routeOf(alias);
      if (route === undefined) throw unknownModel(alias, names());
      const targets = route.groups.flatMap((group) => group.targets.map(({ target }) => target));
      return probeTargets(targets, depth, signal, { live, backend });
    },
    forgive: (backendId) => live.forgive(backendId),
    routes: () => [...table.live.values()].map((route) => routeView(route, viewOf)),
    tryOut: table.tryOut,
    state: () => [...known.values()].map(viewOf),
  };

  function factsOfPooled(
    capability: Capability,
    texts: readonly (string | readonly number[])[],
    context: ChatContext,
  ): RequestFacts {
    const { caller, wishes, atMs, budgetLeft } = planner.askedBy(context);
    const { role, task, tier, data } = wishes;
    const promptTokens = estimatedInputTokens(texts);
    return requestFacts({ capability, promptTokens, caller, role, task, tier, data: data ?? "any", atMs, budgetLeft });
  }
}

/** Neither the alias nor one its rules may lead to has a mode, condenses or asks for a tier: the short way is the same. */
function isPlain(alias: string, routeOf: RouteTable["get"], seen: ReadonlySet<string> = new Set()): boolean {
  const route = routeOf(alias);
  if (route === undefined || seen.has(alias)) return true;
  const { brief, classify } = route.modes;
  if (route.mode !== "plain" || brief !== null || classify !== null) return false;
  const now = new Set([...seen, alias]);
  return route.rules.every(({ leadsTo }) => !("route" in leadsTo) || isPlain(leadsTo.route, routeOf, now));
}

function chatting(request: ChatRequest, context: ChatContext): Pick<Asking<ChatEvent>, "size" | "ask"> {
  return {
    size: (maxTokens) => sizeOfChat({ ...request, maxTokens }),
    ask: (one, model, maxTokens, signal, said) =>
      one.chat({ ...request, model, maxTokens }, said === nothingSaid ? context : { ...context, ...said }, signal),
  };
}

const nothingSaid: Pick<ChatContext, "whileAsleep"> = Object.freeze({});

function saidBy({ whileAsleep }: Route): Pick<ChatContext, "whileAsleep"> {
  return whileAsleep === null ? nothingSaid : { whileAsleep };
}

/** Null: this backend does not know the name. Asked for every request: no text is made for each model. */
function answersFor(backend: Backend, alias: string): ServedModel | null {
  const short = alias.startsWith(`${backend.id}/`) ? alias.slice(backend.id.length + 1) : null;
  const listed = backend.served().find((model) => model.alias === alias || model.alias === short);
  return listed ?? backend.find?.(alias) ?? null;
}

function inputsOf({ inputs }: EmbedRequest): readonly (string | readonly number[])[] {
  return inputs.map((input) => (input.type === "text" ? input.text : input.tokens));
}

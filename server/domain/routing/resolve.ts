/** Makes routes of their settings: names become targets, and everything that does not hold together is said at once. Pure. */
import { fewestAttempts, usualAttempts } from "./modes/attempts.ts";
import { type AsideRole, modesOf, type RouteModes } from "./modes/settings.ts";
import { defaultLimits, type Route, type RouteGroup, type RouteRule } from "./route.ts";
import type { Conditions } from "./rules.ts";
import type { ConditionSettings, GroupSetting, RouteSetting, RuleSetting } from "./settings.ts";
import { similarNames } from "./similar-names.ts";
import type { Target } from "./target.ts";

/** What there is to route to. */
export interface KnownBackend {
  readonly id: string;
  /** Names it answers for, as clients write them. */
  readonly models: readonly string[];
  /** It may have models it does not list: a provider's list is never whole, a peer may be asleep. */
  readonly isOpen: boolean;
}

export interface Resolved {
  readonly routes: ReadonlyMap<string, Route>;
  /** Whole sentences, in the order of the settings; empty: the routes can be used. */
  readonly problems: readonly string[];
}

/** `engine/qwen` or a bare name; null: nobody has it. */
export function findTarget(name: string, backends: readonly KnownBackend[]): Target | null {
  const slash = name.indexOf("/");
  const backend = backends.find(({ id }) => slash > 0 && id === name.slice(0, slash));
  if (backend !== undefined) {
    const model = name.slice(slash + 1);
    const isListed = backend.models.includes(model) || backend.models.includes(name);
    if (model !== "" && (isListed || backend.isOpen)) return { backendId: backend.id, model };
  }
  const serving = backends.find(({ models }) => models.includes(name));
  return serving === undefined ? null : { backendId: serving.id, model: shortName(serving.id, name) };
}

/** Backends may list their models with their own name before them; a target has it once. */
export function shortName(backendId: string, name: string): string {
  return name.startsWith(`${backendId}/`) ? name.slice(backendId.length + 1) : name;
}

export function resolveRoutes(
  settings: Readonly<Record<string, RouteSetting>>,
  backends: readonly KnownBackend[],
): Resolved {
  const problems: string[] = [];
  const routes = new Map<string, Route>();
  for (const [alias, setting] of Object.entries(settings)) {
    const complain = (sentence: string) => problems.push(`routes.${alias}: ${sentence}`);
    const groups = setting.groups.map((group, index) => resolveGroup(group, index, settings, backends, complain));
    const names = groups.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) complain(`two groups are called "${twice}".`);
    const rules = (setting.rules ?? []).map((rule, index) => resolveRule(rule, index, groups, settings, complain));
    const asides = resolveAsides(setting, settings, backends, complain);
    for (const sentence of wrongModes(setting, groups)) complain(sentence);
    routes.set(alias, routeOf(alias, setting, groups, rules, asides));
  }
  problems.push(...tooFewAttempts(routes));
  for (const circle of circlesIn(routes))
    problems.push(`routes.${circle[0]}: its rules go in a circle: ${circle.join(" → ")}.`);
  return { routes, problems };
}

type Complain = (sentence: string) => void;
type Settings = Readonly<Record<string, RouteSetting>>;

function resolveGroup(
  group: GroupSetting,
  index: number,
  settings: Settings,
  backends: readonly KnownBackend[],
  complain: Complain,
): RouteGroup {
  const targets = group.targets.flatMap(({ target: name, weight, region, data, context }) => {
    const target = findTarget(name, backends);
    if (target !== null) {
      const said = { weight: weight ?? 1, region: region ?? null, data: data ?? null, contextLength: context ?? null };
      return [{ target, ...said }];
    }
    complain(Object.hasOwn(settings, name) ? aliasAsTarget(name) : unknownTarget(name, backends));
    return [];
  });
  return {
    name: group.name ?? String(index + 1),
    targets,
    strategy: group.strategy ?? "in-order",
    prefer: group.prefer ?? [],
  };
}

/** Models that are asked on the side: one target each. */
function resolveAsides(
  { cascade, consensus, brief, classify, shadow, mode }: RouteSetting,
  settings: Settings,
  backends: readonly KnownBackend[],
  complain: Complain,
): RouteModes["asides"] {
  const wanted: readonly (readonly [AsideRole, string | undefined])[] = [
    ["judge", mode === "consensus" ? consensus?.judge : cascade?.judge],
    ["condense", brief?.by],
    ["classify", classify?.by],
    ["shadow", shadow?.target],
  ];
  return Object.fromEntries(
    wanted.flatMap(([role, target]) =>
      target === undefined
        ? []
        : [[role, resolveGroup({ name: role, targets: [{ target }] }, 0, settings, backends, complain)]],
    ),
  );
}

const mostVoters = 3;

function wrongModes(setting: RouteSetting, groups: readonly RouteGroup[]): readonly string[] {
  const problems: string[] = [];
  const { mode, cascade, consensus, classify } = setting;
  if (cascade !== undefined && mode !== "cascade") problems.push('"cascade" is said without "mode: cascade".');
  if (consensus !== undefined && mode !== "consensus") problems.push('"consensus" is said without "mode: consensus".');
  if (mode === "cascade" && groups.length < 2)
    problems.push("a cascade needs a second group for what it is not sure of.");
  const voters = groups[0]?.targets.length ?? 0;
  if (mode === "consensus" && (voters < 2 || voters > mostVoters)) {
    problems.push(`a consensus needs 2 or ${mostVoters} targets in its first group, and there are ${voters}.`);
  }
  if (classify !== undefined && !Object.hasOwn(classify.tiers, classify.otherwise)) {
    problems.push(`"classify" gives the tier "${classify.otherwise}" otherwise, and there is no such tier.`);
  }
  const asksJudge =
    cascade?.withoutLogprobs === "judge" || cascade?.toolCalls === "judge" || cascade?.judgeWhen === "always";
  if (asksJudge && cascade?.judge === undefined) problems.push('"cascade" asks a judge and names none.');
  return problems;
}

function aliasAsTarget(name: string): string {
  return `"${name}" is an alias, and targets are models; a rule's "route" leads to another alias.`;
}

function unknownTarget(name: string, backends: readonly KnownBackend[]): string {
  const known = backends.flatMap(({ id, models }) => models.map((model) => `${id}/${shortName(id, model)}`));
  const meant = similarNames(name, [...known, ...known.map((full) => full.slice(full.indexOf("/") + 1))]);
  const slash = name.indexOf("/");
  const id = slash > 0 ? name.slice(0, slash) : null;
  const isBackend = backends.some((backend) => backend.id === id);
  const what = id === null || isBackend ? `nothing here serves "${name}"` : `"${name}": there is no backend "${id}"`;
  const ids = `Backends: ${backends.map((backend) => backend.id).join(", ")}.`;
  return `${what}. ${meant.length > 0 ? `Did you mean "${meant.join('" or "')}"?` : ids}`;
}

function resolveRule(
  rule: RuleSetting,
  index: number,
  groups: readonly RouteGroup[],
  settings: Settings,
  complain: Complain,
): RouteRule {
  const name = rule.name ?? `rule ${index + 1}`;
  const when = conditionsOf(rule.when);
  if ((rule.use === undefined) === (rule.route === undefined)) complain(`${name} needs either "use" or "route".`);
  if (rule.route !== undefined) {
    if (!Object.hasOwn(settings, rule.route)) complain(`${name} leads to "${rule.route}", and there is no such alias.`);
    return { name, when, leadsTo: { route: rule.route } };
  }
  const use = (rule.use ?? []).flatMap((wanted) => {
    const at = groups.findIndex((group, position) => group.name === String(wanted) || position + 1 === wanted);
    if (at === -1)
      complain(`${name} uses group "${wanted}", and the groups are ${groups.map((one) => one.name).join(", ")}.`);
    return at === -1 ? [] : [at];
  });
  return { name, when, leadsTo: { use } };
}

function conditionsOf(setting: ConditionSettings): Conditions {
  const { time, ...others } = setting;
  const said = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)) as Conditions;
  if (time === undefined) return said;
  const { from, to, days, zone } = time;
  return { ...said, time: { from: minuteOf(from), to: minuteOf(to), days: days ?? [], zone: zone ?? null } };
}

/** `22:30` → 1350 */
function minuteOf(text: string): number {
  const [hour = "0", minute = "0"] = text.split(":");
  return Number(hour) * 60 + Number(minute);
}

function routeOf(
  alias: string,
  setting: RouteSetting,
  groups: readonly RouteGroup[],
  rules: readonly RouteRule[],
  asides: RouteModes["asides"],
): Route {
  const mode = setting.mode ?? "plain";
  const modes = modesOf(setting, asides);
  return {
    alias,
    mode,
    groups,
    rules,
    limits: {
      retries: setting.retries ?? defaultLimits.retries,
      maxAttempts: setting.maxAttempts ?? usualAttempts({ mode, groups, modes }),
      deadlineMs: setting.deadlineMs ?? defaultLimits.deadlineMs,
      firstTokenMs: setting.firstTokenMs ?? defaultLimits.firstTokenMs,
      maxQueueWaitMs: setting.maxQueueWaitMs ?? defaultLimits.maxQueueWaitMs,
      maxOutputTokens: setting.maxOutputTokens ?? defaultLimits.maxOutputTokens,
    },
    localOnly: setting.localOnly ?? false,
    data: setting.dataClass ?? "any",
    regions: setting.regions ?? [],
    fallbackOn: setting.fallbackOn ?? [],
    whileAsleep: setting.whileAsleep ?? null,
    modes,
  };
}

/** The limit of the alias that answers holds for the whole request, and the tier is chosen by the one that was asked for. */
function tooFewAttempts(routes: ReadonlyMap<string, Route>): readonly string[] {
  const problems = [...routes.values()].flatMap((route) => {
    const needed = fewestAttempts(route);
    const { maxAttempts } = route.limits;
    if (maxAttempts >= needed) return [];
    return [`routes.${route.alias}: its mode needs ${needed} attempts, and "maxAttempts" allows ${maxAttempts}.`];
  });
  for (const { alias, modes } of routes.values()) {
    if (modes.classify === null) continue;
    for (const led of ledTo(alias, routes)) {
      const route = routes.get(led);
      if (route === undefined) continue;
      const needed = fewestAttempts({ ...route, modes: { ...route.modes, classify: modes.classify } });
      if (route.limits.maxAttempts >= needed || route.limits.maxAttempts < fewestAttempts(route)) continue;
      const { maxAttempts } = route.limits;
      problems.push(
        `routes.${led}: "maxAttempts" allows ${maxAttempts}, and with the tier that "${alias}" asks for it needs ${needed}.`,
      );
    }
  }
  return problems;
}

/** Other aliases that rules lead to from here, however many rules on. */
function ledTo(
  alias: string,
  routes: ReadonlyMap<string, Route>,
  seen = new Set<string>([alias]),
): ReadonlySet<string> {
  for (const { leadsTo } of routes.get(alias)?.rules ?? []) {
    if (!("route" in leadsTo) || seen.has(leadsTo.route)) continue;
    seen.add(leadsTo.route);
    ledTo(leadsTo.route, routes, seen);
  }
  return new Set([...seen].filter((name) => name !== alias));
}

/** Each circle once, beginning with the alias that stands first in the settings. */
function circlesIn(routes: ReadonlyMap<string, Route>): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (alias: string, path: readonly string[]): void => {
    const at = path.indexOf(alias);
    if (at !== -1) circles.push([...path.slice(at), alias]);
    if (at !== -1 || done.has(alias)) return;
    for (const { leadsTo } of routes.get(alias)?.rules ?? []) {
      if ("route" in leadsTo) visit(leadsTo.route, [...path, alias]);
    }
    done.add(alias);
  };
  for (const alias of routes.keys()) visit(alias, []);
  return circles;
}

/** Routes and targets as people see them: `/admin/routes`, `/admin/state`, metrics. Pure but for what it is handed. */
import type { Backend } from "../backends/backend.ts";
import type { Capability, HealthDepth, ServedModel } from "../domain/model.ts";
import type { PowerView } from "../domain/rental/power.ts";
import type { Route, RouteRule } from "../domain/routing/route.ts";
import { type Target, targetName } from "../domain/routing/target.ts";
import { servedAs, takesUnlisted } from "./candidates.ts";
import type { TargetLife } from "./live.ts";

export interface TargetView extends TargetLife {
  readonly target: string;
  readonly kind: Backend["kind"] | null;
  /** Of a machine that may be asleep; null: it is always on. */
  readonly power: PowerView | null;
  readonly health: { readonly able: boolean; readonly reason: string; readonly depth: HealthDepth | null };
}

export interface RouteView {
  readonly alias: string;
  readonly mode: Route["mode"];
  readonly groups: readonly {
    readonly name: string;
    readonly strategy: string;
    readonly targets: readonly TargetView[];
  }[];
  readonly rules: readonly RouteRule[];
  readonly limits: Route["limits"];
  readonly localOnly: boolean;
  readonly data: Route["data"];
  readonly regions: readonly string[];
  readonly fallbackOn: readonly string[];
  readonly whileAsleep: Route["whileAsleep"];
}

/** An answer proves that a target answers for as long. */
const provesForMs = 300_000;

export function targetView(target: Target, backend: Backend | undefined, life: TargetLife, nowMs: number): TargetView {
  const model = backend === undefined ? undefined : servedAs(backend, target);
  const known = backend?.health(model?.alias ?? target.model) ?? { able: false, reason: "no such backend" };
  const hasAnswered =
    life.answeredAtMs !== null && nowMs - life.answeredAtMs < provesForMs && life.cooldown.state === "closed";
  const depth = hasAnswered ? "answers" : "depth" in known ? (known.depth ?? null) : null;
  return {
    target: targetName(target),
    kind: backend?.kind ?? null,
    power: backend?.power?.() ?? null,
    health: { able: known.able, reason: known.reason, depth },
    ...life,
  };
}

export function routeView(route: Route, viewOf: (target: Target) => TargetView): RouteView {
  const { alias, mode, rules, limits, localOnly, data, regions, fallbackOn, whileAsleep } = route;
  return {
    alias,
    mode,
    groups: route.groups.map(({ name, strategy, targets }) => ({
      name,
      strategy,
      targets: targets.map(({ target }) => viewOf(target)),
    })),
    rules,
    limits,
    localOnly,
    data,
    regions,
    fallbackOn,
    whileAsleep,
  };
}

/** An alias in the list of models: it can what some target of it can, and holds as much as the longest of them. */
export function routeAsModel(route: Route, backendOf: (id: string) => Backend | undefined): ServedModel {
  const members = route.groups.flatMap(({ targets }) => targets);
  const models = members.flatMap(({ target }) => {
    const backend = backendOf(target.backendId);
    const model = backend === undefined ? undefined : servedAs(backend, target);
    return model === undefined ? [] : [model];
  });
  const unlisted = members.some(({ target }) => {
    const backend = backendOf(target.backendId);
    return backend !== undefined && takesUnlisted(backend) && servedAs(backend, target) === undefined;
  });
  const capabilities = new Set<Capability>(models.flatMap((model) => [...model.capabilities]));
  if (unlisted && capabilities.size === 0) capabilities.add("chat");
  const lengths = [
    ...members.map(({ contextLength }) => contextLength ?? 0),
    ...models.map((model) => model.contextLength),
  ];
  return {
    alias: route.alias,
    capabilities: [...capabilities],
    embeddingLength: models.find((model) => model.embeddingLength !== null)?.embeddingLength ?? null,
    fileName: "",
    sizeBytes: 0,
    createdAtMs: models[0]?.createdAtMs ?? 0,
    contextLength: Math.max(0, ...lengths),
    slots: Math.max(0, ...models.map((model) => model.slots)),
    demo: models.length > 0 && models.every((model) => model.demo),
  };
}

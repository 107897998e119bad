/** What the modes of a route can be told: as settings write it, and resolved. Pure types with their defaults. */
import type { RouteGroup } from "../route.ts";

type Maybe<Shape> = { readonly [Key in keyof Shape]?: Shape[Key] | undefined };

/** What becomes of a draft whose confidence nobody can tell. */
export type Unsure = "accept" | "escalate" | "judge";

interface CascadeFacts {
  /** Confidence from which a draft is given, 0 to 1. */
  readonly threshold: number;
  /** The same for single targets, as `route calibrate` found it; keys are `engine/qwen`. */
  readonly calibration: Readonly<Record<string, number>>;
  /** The backend gave no log-probabilities. */
  readonly withoutLogprobs: Unsure;
  /** The draft calls tools: no backend tells log-probabilities of names and arguments. */
  readonly toolCalls: Unsure;
  /** `unsure`: the judge has the last word on drafts below the threshold. `always`: it is asked instead of the confidence. */
  readonly judgeWhen: "unsure" | "always";
  /** An unsure draft, and nobody else can answer. */
  readonly whenNoneLeft: "answer" | "fail";
}

interface ConsensusFacts {
  /** How often the voters are asked, 1 to 3; from the second time on they see each other's answers. */
  readonly rounds: number;
  readonly agree: "majority" | "all";
}

interface BriefFacts {
  /** Tokens of a prompt above which it is condensed. */
  readonly over: number;
  /** The last turns of the user, with all that follows each, stay as they are. */
  readonly keepTurns: number;
  /** Most tokens of the condensed part. */
  readonly maxTokens: number;
}

interface ClassifyFacts {
  /** What each tier is for, in words the model reads. */
  readonly tiers: Readonly<Record<string, string>>;
  /** The tier of a request that could not be classified. */
  readonly otherwise: string;
}

interface ShadowFacts {
  /** Part of the answered requests that is copied, 0 to 1. */
  readonly share: number;
  /** Most that copies may cost in a day, as days begin where the box is; copies of unknown cost count as what they may cost at most, and end the day. */
  readonly perDayUsd: number;
}

export type CascadeSetting = Maybe<CascadeFacts & { readonly judge: string }>;
export type ConsensusSetting = Maybe<ConsensusFacts & { readonly judge: string }>;
export type BriefSetting = Maybe<Omit<BriefFacts, "over">> & { readonly over: number; readonly by: string };
export type ClassifySetting = ClassifyFacts & { readonly by: string };
export type ShadowSetting = ShadowFacts & { readonly target: string };

export interface ModeSettings
  extends Maybe<{
    readonly cascade: CascadeSetting;
    readonly consensus: ConsensusSetting;
    readonly brief: BriefSetting;
    readonly classify: ClassifySetting;
    readonly shadow: ShadowSetting;
  }> {}

/** Who is asked on the side. */
export type AsideRole = "judge" | "condense" | "classify" | "shadow";

export const asideRoles = Object.freeze(["classify", "condense", "judge", "shadow"] as const);

/** Resolved: null where the route does not say it. */
export interface RouteModes {
  readonly cascade: CascadeFacts;
  readonly consensus: ConsensusFacts;
  readonly brief: BriefFacts | null;
  readonly classify: ClassifyFacts | null;
  readonly shadow: ShadowFacts | null;
  readonly asides: Readonly<Partial<Record<AsideRole, RouteGroup>>>;
}

export const noModes: RouteModes = Object.freeze<RouteModes>({
  cascade: {
    threshold: 0.8,
    calibration: {},
    withoutLogprobs: "escalate",
    toolCalls: "escalate",
    judgeWhen: "unsure",
    whenNoneLeft: "answer",
  },
  consensus: { rounds: 3, agree: "majority" },
  brief: null,
  classify: null,
  shadow: null,
  asides: {},
});

export const briefDefaults = Object.freeze({ keepTurns: 2, maxTokens: 1_000 });

/** `asides`: those that were resolved. */
export function modesOf(setting: ModeSettings, asides: RouteModes["asides"]): RouteModes {
  const { brief, classify, shadow } = setting;
  return {
    cascade: filled(noModes.cascade, setting.cascade),
    consensus: filled(noModes.consensus, setting.consensus),
    brief:
      brief === undefined
        ? null
        : {
            over: brief.over,
            keepTurns: brief.keepTurns ?? briefDefaults.keepTurns,
            maxTokens: brief.maxTokens ?? briefDefaults.maxTokens,
          },
    classify: classify === undefined ? null : { tiers: classify.tiers, otherwise: classify.otherwise },
    shadow: shadow === undefined ? null : { share: shadow.share, perDayUsd: shadow.perDayUsd },
    asides,
  };
}

function filled<Shape extends object>(defaults: Shape, said: Maybe<Shape> | undefined): Shape {
  const known = Object.entries(said ?? {}).filter(([key, value]) => value !== undefined && key in defaults);
  return { ...defaults, ...(Object.fromEntries(known) as Partial<Shape>) };
}

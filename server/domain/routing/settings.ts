/** Routes as the settings write them, once short forms are spelled out. Pure types; judged by `server/config`. */
import type { RouteMode } from "./modes.ts";
import type { ModeSettings } from "./modes/settings.ts";
import type { WhileAsleep } from "../rental/power.ts";
import type { FallbackWish } from "./route.ts";
import type { Span } from "./rules.ts";
import type { StrategyId } from "./strategies/index.ts";
import type { DataClass } from "./target.ts";
import type { Weekday } from "./zoned-time.ts";

type Maybe<Shape> = { readonly [Key in keyof Shape]?: Shape[Key] | undefined };

export interface TargetSetting
  extends Maybe<{
    readonly weight: number;
    readonly region: string;
    readonly data: DataClass;
    readonly context: number;
  }> {
  /** `engine/qwen`, `openai/gpt-5.4-mini`, or the bare name of a model that one backend serves. */
  readonly target: string;
}

export interface GroupSetting
  extends Maybe<{ readonly name: string; readonly strategy: StrategyId; readonly prefer: readonly string[] }> {
  readonly targets: readonly TargetSetting[];
}

export interface TimeSetting extends Maybe<{ readonly days: readonly Weekday[]; readonly zone: string }> {
  /** `22:00` */
  readonly from: string;
  readonly to: string;
}

export type ConditionSettings = Maybe<{
  readonly promptTokens: Maybe<Span>;
  readonly contextNeed: Maybe<Span>;
  readonly tools: boolean;
  readonly images: boolean;
  readonly jsonSchema: boolean;
  readonly caller: readonly string[];
  readonly role: readonly string[];
  readonly task: readonly string[];
  readonly tier: readonly string[];
  readonly data: readonly DataClass[];
  readonly time: TimeSetting;
  readonly budgetLeftBelow: number;
}>;

export interface RuleSetting
  extends Maybe<{ readonly name: string; readonly use: readonly (string | number)[]; readonly route: string }> {
  readonly when: ConditionSettings;
}

export interface RouteSetting
  extends ModeSettings,
    Maybe<{
      readonly mode: RouteMode;
      readonly rules: readonly RuleSetting[];
      readonly retries: number;
      readonly maxAttempts: number;
      readonly deadlineMs: number;
      readonly firstTokenMs: number;
      readonly maxQueueWaitMs: number;
      readonly maxOutputTokens: number;
      readonly localOnly: boolean;
      readonly dataClass: DataClass;
      readonly regions: readonly string[];
      readonly fallbackOn: readonly FallbackWish[];
      readonly whileAsleep: WhileAsleep;
    }> {
  readonly groups: readonly GroupSetting[];
}

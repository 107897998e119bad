/**
 * Where routes are changed while the box runs: other settings are judged, tried out under names of their own, and taken or dropped
 * as a whole. Server process. The settings' file is written once, in one step, and only when they are taken: whatever ends before
 * that leaves it, and the routes that answer, exactly as they were.
 */
import { isDeepStrictEqual } from "node:util";
import { routesSetting } from "../config/route-setting.ts";
import { pathInWords, wordsFor } from "../config/words.ts";
import { readWritten, type WrittenSettings } from "../config/written.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { RouteSetting } from "../domain/routing/settings.ts";
import { newRequestId } from "../platform/ids.ts";
import type { RouteSettings, RouteTable, RouteTrial } from "./route-table.ts";

export interface RouteChange {
  readonly alias: string;
  readonly change: "added" | "changed" | "removed" | "unchanged";
  /** As they stand in the settings' file, and as they are to stand there; null: not at all. */
  readonly before: unknown;
  readonly after: unknown;
  /** What to ask for to try it out; null: there is nothing to try. */
  readonly trial: string | null;
}

export interface BegunChange {
  /** Null: it was only looked at. */
  readonly id: string | null;
  readonly changes: readonly RouteChange[];
}

export type TakenChange =
  | { readonly applied: true; readonly changes: readonly RouteChange[] }
  | { readonly applied: false; readonly reason: string };

export interface RouteDesk {
  /** By alias, as somebody wrote them; null: the alias goes. Throws `invalid_request`, naming what is wrong. */
  begin(wanted: Readonly<Record<string, unknown>>, how: { readonly dryRun: boolean }): BegunChange;
  /** Into the file and into use, both or neither. Throws `cannot_start` when the file cannot be written. */
  take(id: string): TakenChange;
  /** False: there is no such trial any more. */
  drop(id: string): boolean;
  /** Of the routes that answer now. */
  settings(): RouteSettings;
}

export interface RouteDeskParts {
  readonly table: Pick<RouteTable, "tryOut">;
  readonly settings: RouteSettings;
  readonly file: string;
  /** Where the routes come from when that is not the file: `environment LANTHORN_ROUTES`. Null: they may be changed. */
  readonly fixedBy: string | null;
  readonly clock: Pick<Clock, "after">;
  write(changes: readonly { readonly path: readonly string[]; readonly value: unknown }[]): void;
  /** Called when other routes are in use. */
  taken(): void;
}

/** A trial that nobody ends is forgotten: tasks take minutes, a great many of them hours. */
const longestTrialMs = 86_400_000;

interface Begun {
  readonly id: string;
  readonly trial: RouteTrial;
  readonly settings: RouteSettings;
  readonly changes: readonly RouteChange[];
  readonly written: WrittenSettings;
  forget(): void;
}

export function createRouteDesk(parts: RouteDeskParts): RouteDesk {
  let { settings } = parts;
  let begun: Begun | null = null;
  const end = () => {
    begun?.trial.drop();
    begun?.forget();
    begun = null;
  };

  return {
    settings: () => settings,
    begin(wanted, { dryRun }) {
      if (parts.fixedBy !== null) throw fixed(parts.fixedBy);
      const written = readWritten(parts.file);
      const parsed = Object.entries(wanted).map(([alias, value]) => ({
        alias,
        value,
        setting: settingOf(alias, value),
      }));
      const gone = new Set(parsed.flatMap(({ alias, setting }) => (setting === null ? [alias] : [])));
      const next: Record<string, RouteSetting> = Object.fromEntries(
        Object.entries(settings).filter(([alias]) => !gone.has(alias)),
      );
      for (const { alias, setting } of parsed) if (setting !== null) next[alias] = setting;

      const id = newRequestId().replace("req_", "trial_");
      end();
      const trial = parts.table.tryOut(next, id);
      const changes = parsed.map(({ alias, value, setting }): RouteChange => {
        const before = own(written.routes, alias);
        const isSame = isDeepStrictEqual(before, value) && isDeepStrictEqual(own(settings, alias), setting);
        const change = isSame
          ? "unchanged"
          : setting === null
            ? "removed"
            : own(settings, alias) === null
              ? "added"
              : "changed";
        const isTried = setting !== null && !isSame && !dryRun;
        return { alias, change, before, after: value, trial: isTried ? trial.nameOf(alias) : null };
      });
      if (dryRun) {
        trial.drop();
        return { id: null, changes };
      }
      const forget = parts.clock.after(longestTrialMs, end);
      begun = { id, trial, settings: next, changes, written, forget };
      return { id, changes };
    },
    take(id) {
      if (begun?.id !== id) {
        return { applied: false, reason: "Another change was begun since, or it took longer than a day." };
      }
      const { trial, changes, written } = begun;
      if (readWritten(parts.file).text !== written.text) {
        end();
        return { applied: false, reason: "Somebody changed the settings' file in the meantime." };
      }
      const real = changes.filter(({ change }) => change !== "unchanged");
      if (real.length > 0) {
        parts.write(real.map(({ alias, after }) => ({ path: ["routes", alias], value: after ?? undefined })));
      }
      ({ settings } = begun);
      trial.take();
      end();
      parts.taken();
      return { applied: true, changes };
    },
    drop(id) {
      if (begun?.id !== id) return false;
      end();
      return true;
    },
  };
}

/** Null: the alias is to go. */
function settingOf(alias: string, value: unknown): RouteSetting | null {
  if (value === null) return null;
  const parsed = routesSetting.safeParse(Object.fromEntries([[alias, value]]));
  const setting = parsed.success ? own(parsed.data, alias) : null;
  if (setting !== null) return setting;
  const issue = parsed.error?.issues[0];
  const name = pathInWords(["routes", ...(issue?.path ?? [alias])]);
  const why = issue === undefined ? "It is no route." : `${name} ${wordsFor(issue)}.`;
  throw new Failure("invalid_request", `The route "${alias}" cannot be used as written.`, { why, param: name });
}

/** Aliases may be called like what every object has. */
function own<Value>(values: Readonly<Record<string, Value>>, name: string): Value | null {
  return Object.hasOwn(values, name) ? (values[name] ?? null) : null;
}

function fixed(by: string): Failure {
  return new Failure("invalid_request", `The routes of this box come from ${by}, which wins over its file.`, {
    why: "What is written into the file would not be used.",
    param: "routes",
  });
}

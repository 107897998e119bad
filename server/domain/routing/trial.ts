/**
 * Routes under other names, so that they can be tried out beside those that answer: whoever does not know the trial's name never
 * meets them. Pure.
 */
import type { Route } from "./route.ts";

/** What has a name comes before what is on trial, and nobody can guess a trial's: no client's name is taken away by it. */
export function trialName(alias: string, trial: string): string {
  return `${alias} ${trial}`;
}

export function isTrialName(name: string): boolean {
  return / trial_[0-9A-Za-z]+$/u.test(name);
}

/** All of them, with rules that lead to each other and no copies for comparison, by their names in the trial. */
export function trialRoutes(routes: ReadonlyMap<string, Route>, trial: string): ReadonlyMap<string, Route> {
  return new Map(
    [...routes.values()].map((route) => {
      const alias = trialName(route.alias, trial);
      const rules = route.rules.map((rule) => {
        const { leadsTo } = rule;
        return "route" in leadsTo ? { ...rule, leadsTo: { route: trialName(leadsTo.route, trial) } } : rule;
      });
      const { shadow: _shadow, ...asides } = route.modes.asides;
      return [alias, { ...route, alias, rules, modes: { ...route.modes, shadow: null, asides } }];
    }),
  );
}

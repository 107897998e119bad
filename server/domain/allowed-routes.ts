/**
 * What a key may ask for, by the names clients write as `model`. Pure. A name stands for itself only; whom a route then asks on its
 * own account (drafts, voters, judges) was decided by whoever wrote the route.
 */
import type { Caller } from "./caller.ts";
import { Failure } from "./failure.ts";

export function mayAsk({ routes }: Caller, model: string): boolean {
  return routes === undefined || routes.includes(model);
}

/** Those of the served that this caller may ask for. */
export function allowedOf<Model extends { readonly alias: string }>(
  models: readonly Model[],
  caller: Caller,
): readonly Model[] {
  return caller.routes === undefined ? models : models.filter(({ alias }) => mayAsk(caller, alias));
}

/** Says the same of a model that is not there: who may not ask for it does not learn whether it is. */
export function notAllowed(model: string): Failure {
  return new Failure("model_not_allowed", `This key may not ask for "${model.slice(0, 200)}".`, { param: "model" });
}

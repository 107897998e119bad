/**
 * A backend whose work is metered: the meter hears when an attempt comes, when it is computed and when it is over. Runs in the
 * server process; events pass as they are.
 */
import { watched } from "../domain/passing.ts";
import type { LocalCost, WorkMeter } from "../domain/local-cost/local-meter.ts";
import type { Backend, ChatContext } from "./backend.ts";

/** What attempts cost, asked of each in turn: whoever meters the target says so. Nulls are left out; of none there is nothing to ask. */
export function localCostOf(all: readonly (LocalCost | null)[]): { readonly localCost?: LocalCost } {
  const costs = all.filter((cost) => cost !== null);
  const [only] = costs;
  if (only === undefined) return {};
  if (costs.length === 1) return { localCost: only };
  return {
    localCost: {
      take(requestId, target) {
        for (const cost of costs) {
          const taken = cost.take(requestId, target);
          if (taken !== null) return taken;
        }
        return null;
      },
      forget: (requestId, target) => {
        for (const cost of costs) cost.forget(requestId, target);
      },
    },
  };
}

/** `meter` null: there is none. Without one, and where the work is done elsewhere, it is the backend itself. */
export function metered(backend: Backend, meter: WorkMeter | null): Backend {
  if (meter === null || backend.kind !== "engine") return backend;
  const during = <Event extends { readonly type: string }>(
    events: AsyncIterable<Event>,
    { requestId }: ChatContext,
    model: string,
  ): AsyncIterable<Event> =>
    watched(events, () => {
      meter.opened(requestId, model);
      return {
        event: ({ type }) => {
          if (type === "started") meter.began(requestId, model);
        },
        over: () => meter.ended(requestId, model),
      };
    });
  /** Answers in one piece say nothing until they are there: the engine calls back when it begins to compute. */
  const telling = (context: ChatContext, model: string): ChatContext => ({
    ...context,
    computing: () => meter.began(context.requestId, model),
  });
  return {
    ...backend,
    chat: (request, context, signal) => during(backend.chat(request, context, signal), context, request.model),
    embed: (request, context, signal) =>
      during(backend.embed(request, telling(context, request.model), signal), context, request.model),
    rerank: (request, context, signal) =>
      during(backend.rerank(request, telling(context, request.model), signal), context, request.model),
  };
}

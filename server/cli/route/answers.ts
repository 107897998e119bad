/** The shapes of `/admin/routes` as the commands read them: a newer server may know more codes and fields. */
import { z } from "zod";
import type { PlanRecord } from "../../domain/routing/plan.ts";
import type { RouteView, TargetView } from "../../router/views.ts";
import { requestAnswer } from "../answers.ts";

const record = z.custom<PlanRecord>((value) => typeof value === "object" && value !== null && "attempts" in value);
const target = z.custom<TargetView>((value) => typeof value === "object" && value !== null && "cooldown" in value);
const route = z.custom<RouteView>((value) => typeof value === "object" && value !== null && "groups" in value);

/** `GET /admin/routes`. */
export const routesAnswer = z.object({ routes: z.array(route), targets: z.array(target) });
/** `POST /admin/routes/explain`. */
export const explainAnswer = z.object({ plan: record });
/** `POST /admin/routes/test`. */
export const testAnswer = z.object({
  ok: z.boolean(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
  request: requestAnswer.nullable(),
});

/** `POST /admin/routes/health`. */
export const healthAnswer = z.object({
  ok: z.boolean(),
  targets: z.array(
    z.object({
      target: z.string(),
      depth: z.string().nullable(),
      able: z.boolean(),
      reason: z.string(),
      code: z.string().nullable(),
      tookMs: z.number(),
    }),
  ),
});
export type HealthAnswer = z.output<typeof healthAnswer>;

/** `POST /admin/routes/ask`. */
export const askAnswer = z.object({
  requestId: z.string(),
  target: z.string().nullable(),
  text: z.string(),
  finishReason: z.string().nullable(),
  confidence: z.number().nullable(),
  durationMs: z.number(),
  costNanos: z.number().nullable(),
  knownNanos: z.number(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});

/**
 * What every inference route does before and after it answers: take off, read the body, judge it, write the row of what is
 * refused here; say where the answer came from and what became of it. Runs in the server; knows no dialect.
 */
import type { IncomingHttpHeaders } from "node:http";
import { costText, targetText } from "../dialects/closing-comment.ts";
import type { Caller } from "../domain/caller.ts";
import { keptAnswers } from "../domain/kept-answer.ts";
import { asFailure } from "../domain/failure.ts";
import type { RequestNote } from "../domain/note.ts";
import { readWishes, type RouteWishes } from "../domain/routing/request-facts.ts";
import { readJson } from "./body.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { HttpDeps, HttpTiming } from "./deps.ts";
import type { Flight, InFlight } from "./in-flight.ts";
import type { Exchange } from "./route.ts";

export interface InferenceParts {
  readonly deps: Pick<HttpDeps, "inference" | "rateLimits" | "settings" | "clock" | "log" | "engineBuild">;
  readonly timing: HttpTiming;
  readonly inFlight: Pick<InFlight, "takeOff">;
  readonly bodyBudget: BodyBudget;
}

/** Reads and judges the request. What is refused here never reaches the spine, so its row is written here. */
export async function admit<Decoded>(
  exchange: Exchange,
  caller: Caller,
  dialect: { readonly id: string; decode(body: unknown): Decoded },
  { deps, timing, inFlight, bodyBudget }: InferenceParts,
): Promise<{
  readonly decoded: Decoded;
  readonly flight: Flight;
  readonly wishes: RouteWishes;
  readonly notes: readonly RequestNote[];
}> {
  const { request, response, requestId, startedAtMs } = exchange;
  const notes = originNotes(request.headers);
  let body: unknown;
  try {
    // Asked before the body is read, so that a box that stops does not wait for one.
    const flight = inFlight.takeOff();
    try {
      const bounds = {
        limitBytes: deps.settings.bodyLimitBytes,
        graceMs: timing.bodyGraceMs,
        clock: deps.clock,
        budget: bodyBudget,
      };
      body = await readJson(request, response, bounds);
      return { decoded: dialect.decode(body), flight, wishes: wishesOf(request.headers), notes };
    } catch (thrown) {
      flight.land();
      throw thrown;
    }
  } catch (thrown) {
    const failure = asFailure(thrown);
    const wished = wishes(body);
    await deps.inference.refuse({ requestId, caller, dialect: dialect.id, startedAtMs, notes, ...wished }, failure);
    throw failure;
  }
}

/** An id as boxes like this one give them. Anybody may send one: it is a note, and nothing is decided by it. */
const ownRequestId = /^req_[0-9A-Za-z]{22}$/;

/** Which request of another box this one is for. */
function originNotes(headers: IncomingHttpHeaders): readonly RequestNote[] {
  const id = headers["x-request-id"];
  return typeof id === "string" && ownRequestId.test(id) ? [{ code: "asked_by_box", detail: id }] : [];
}

/** Where the client says its request may run. Throws `invalid_request` for a data class nobody knows. */
export function wishesOf(headers: IncomingHttpHeaders): RouteWishes {
  return readWishes((name) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  });
}

/** What can be said of a body that was refused, for its row. */
function wishes(body: unknown): { readonly alias: string | null; readonly stream: boolean } {
  if (typeof body !== "object" || body === null) return { alias: null, stream: false };
  const alias = "model" in body && typeof body.model === "string" ? body.model : null;
  return { alias, stream: "stream" in body && body.stream === true };
}

/** A connection that closes before its answer is complete ends the flight. */
export function leaveWhenClosed({ response }: Exchange, flight: Flight): void {
  response.once("close", () => {
    if (!response.writableFinished) flight.leave();
  });
  if (response.destroyed) flight.leave();
}

/** What is no plain ASCII stands as a URL writes it. */
function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]/gu, encodeURIComponent);
}

export function targetHeader(deps: Pick<HttpDeps, "inference">, requestId: string): Readonly<Record<string, string>> {
  const { target, brief, budget } = deps.inference.closing(requestId);
  if (target === null) return {};
  const hit = target.startsWith(`${keptAnswers}/`);
  return {
    "x-lanthorn-target": targetText(target),
    ...(hit ? { "x-lanthorn-cache": "hit" } : {}),
    ...(brief === undefined ? {} : { "x-lanthorn-brief": headerText(brief) }),
    ...(budget === undefined ? {} : { "x-lanthorn-budget": headerText(budget) }),
  };
}

/** For an answer that has ended: where it ran and what it cost. */
export function setTargetHeader(deps: Pick<HttpDeps, "inference">, exchange: Exchange): void {
  if (exchange.response.headersSent) return;
  for (const [name, value] of Object.entries(targetHeader(deps, exchange.requestId))) {
    exchange.response.setHeader(name, value);
  }
  const { target, cost, knownNanos } = deps.inference.closing(exchange.requestId);
  if (target !== null) exchange.response.setHeader("x-lanthorn-cost", costText(cost, knownNanos));
}

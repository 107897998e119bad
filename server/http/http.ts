/**
 * The HTTP room put together: table, guard, dispatch, drain. Runs in the server; the composition root listens on
 * `server` and calls `close`. Nothing here knows a model or a price.
 */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { Dialect } from "../dialects/dialect.ts";
import { dialects } from "../dialects/index.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import { descriptorLimit } from "../platform/descriptors.ts";
import { newRequestId } from "../platform/ids.ts";
import { readJson, requireJson } from "./body.ts";
import { createBodyBudget } from "./body-budget.ts";
import { type HttpDeps, httpTiming } from "./deps.ts";
import { limitConnections } from "./connection-limit.ts";
import { createInFlight } from "./in-flight.ts";
import { createMatcher } from "./match.ts";
import { isModelsPath, speaksAnthropic } from "./models-route.ts";
import { createNodeServer } from "./node-server.ts";
import { createOwnNames } from "./own-names.ts";
import type { Exchange, Route } from "./route.ts";
import { routeTable } from "./routes.ts";
import { sendFailure } from "./send.ts";
import { sessionTokenOf } from "./session-routes.ts";
import { createStallWatch } from "./stall-watch.ts";

/** How much of an unwanted body is read away. Clients with more to send than this look for an answer meanwhile. */
const mostDiscardedBytes = 8 * 1024 * 1024;
/** Largest body of the admin and sign-in routes. */
const adminBodyLimitBytes = 64 * 1024;

export interface Http {
  readonly server: Server;
  /** The whole surface, for documentation and for the test that tries every door. */
  readonly routes: readonly Pick<Route, "method" | "path" | "access">[];
  /**
   * Stops: from now on not ready and no new inference; running answers may end within `graceMs` and are then cut with an
   * error frame; resolves when every connection is closed. A second call cuts at once.
   */
  close(graceMs: number): Promise<void>;
}

export function createHttp(deps: HttpDeps): Http {
  const { clock, log, settings } = deps;
  const timing = deps.timing ?? httpTiming;
  const inFlight = createInFlight(clock);
  const ownNames = createOwnNames({ configured: settings.hosts, clock });
  const closingListeners = new Set<() => void>();
  const bodyBudget = createBodyBudget(settings.bodyLimitBytes);
  const bodyBounds = { limitBytes: adminBodyLimitBytes, graceMs: timing.bodyGraceMs, clock, budget: bodyBudget };
  const routes = routeTable({
    deps,
    timing,
    inFlight,
    bodyBudget,
    dialects,
    readBody: (request, response) => readJson(request, response, bodyBounds),
    onClosing(callback) {
      closingListeners.add(callback);
      return () => closingListeners.delete(callback);
    },
  });
  const match = createMatcher(routes);
  const stallWatch = createStallWatch(clock, timing.stallMs);
  const server = createNodeServer(
    settings.headerTimeoutMs,
    (request, response) => void answer(request, response),
    deps.tls,
  );
  limitConnections(server, { descriptors: descriptorLimit(), clock, log });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = newRequestId();
    response.setHeader("x-request-id", requestId);
    stallWatch.watch(response);
    // Writing to a client that has just gone is no error of ours; 'close' says it to whoever cares.
    response.on("error", () => {});
    if (inFlight.draining) response.setHeader("connection", "close");
    const url = request.url ?? "/";
    const queryAt = url.indexOf("?");
    const path = queryAt === -1 ? url : url.slice(0, queryAt);
    const found = match(request.method ?? "", path);
    const dialect = spokenBy(request.headers, path, found.kind === "nothing" ? null : found.route.dialect);
    if (dialect.requestIdHeader !== undefined) response.setHeader(dialect.requestIdHeader, requestId);
    try {
      if (found.kind === "nothing") throw new Failure("not_found", "There is nothing at this path.");
      if (found.kind === "other-method") {
        answerOtherMethod(request, response, found.allow);
        return;
      }
      const { route, parameters } = found;
      const exchange: Exchange = { request, response, requestId, startedAtMs: clock.now(), parameters };
      const caller = deps.access.authenticate(accessFacts(request, route.access));
      if (route.access === "open") {
        requireJsonToChange(request);
        await route.handle(exchange);
        return;
      }
      if (caller === null) throw new Failure("unknown_key", "A key is needed here.");
      // An inference request that is refused for its type has a row, so that route looks for itself.
      if (route.access === "admin") requireJsonToChange(request);
      await route.handle(exchange, caller);
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.code === "internal") log.error({ requestId, path, error: failure.cause }, "a request failed inside");
      sendFailure(response, dialect, failure);
    } finally {
      discardRest(request);
    }
  }

  function accessFacts(request: IncomingMessage, access: Route["access"]) {
    const { headers } = request;
    const apiKey = headers["x-api-key"];
    return {
      route: access,
      authorization: headers.authorization,
      apiKey: Array.isArray(apiKey) ? apiKey[0] : apiKey,
      sessionToken: sessionTokenOf(headers.cookie),
      ownHost: ownNames.ownHost(headers.host),
      ownOrigin: ownNames.ownOrigin(headers.origin, headers.host),
      remoteAddress: request.socket.remoteAddress ?? "",
    };
  }

  /**
   * `OPTIONS` says what there is. No page of another site is ever given more than that: there are no CORS headers, and
   * our own page needs none.
   */
  function answerOtherMethod(request: IncomingMessage, response: ServerResponse, allow: string): void {
    deps.access.authenticate(accessFacts(request, "open"));
    response.setHeader("allow", allow);
    if (request.method !== "OPTIONS") throw new Failure("method_not_allowed", `Only ${allow} work at this path.`);
    response.statusCode = 204;
    response.end();
  }

  /** Throws the rest of an unwanted body away: closing on a client that still sends would lose it our answer. */
  function discardRest(request: IncomingMessage): void {
    if (request.complete || request.destroyed) return;
    const cancel = clock.after(timing.discardMs, () => request.socket.destroy());
    request.once("close", cancel);
    let leftBytes = mostDiscardedBytes;
    request.on("data", (chunk: Buffer) => {
      leftBytes -= chunk.length;
      if (leftBytes < 0) request.socket.destroy();
    });
  }

  let closing: Promise<void> | null = null;

  async function closeDown(graceMs: number): Promise<void> {
    await inFlight.drain(graceMs, timing.partingMs);
    for (const callback of closingListeners) callback();
    await new Promise<void>((resolve) => {
      // Not listening is an error to Node and fine with us.
      server.close(() => resolve());
      server.closeIdleConnections();
      const cancel = clock.after(timing.partingMs, () => server.closeAllConnections());
      server.once("close", cancel);
    });
  }

  return {
    server,
    routes: routes.map(({ method, path, access }) => ({ method, path, access })),
    close(graceMs) {
      if (closing === null) closing = closeDown(graceMs);
      else inFlight.cut();
      return closing;
    },
  };
}

/** In whose words a refusal is written: those of the route, and on paths that both vendors have, those of the client. */
function spokenBy(headers: IncomingHttpHeaders, path: string, route: Dialect | null): Dialect {
  const shared = path.startsWith("/v1/") && (route === null || isModelsPath(path));
  if (shared && speaksAnthropic(headers)) return dialects["anthropic-messages"];
  return route ?? (path.startsWith("/api/") ? dialects.ollama : dialects["openai-chat"]);
}

/** Requests that change something must be of a kind that a foreign page cannot send without asking. */
function requireJsonToChange(request: IncomingMessage): void {
  if (request.method !== "GET" && request.method !== "HEAD") requireJson(request.headers);
}

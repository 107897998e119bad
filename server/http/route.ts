/** What a route is, and the one request it handles. Types only. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RouteAccess } from "../access/authenticate.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Caller } from "../domain/caller.ts";

/** One HTTP request on its way through this room. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  /** The values of `:name` and `*name` in the route's path, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** `GET` answers `HEAD` too. */
export type Method = "GET" | "POST" | "DELETE";

interface RouteFacts {
  readonly method: Method;
  /** Exact, or with `:name` for one segment and a last `*name` for the rest. */
  readonly path: string;
  /** In whose shape a refusal is written. */
  readonly dialect: Dialect;
}

export interface OpenRoute extends RouteFacts {
  readonly access: Extract<RouteAccess, "open">;
  handle(exchange: Exchange): void | Promise<void>;
}

export interface GuardedRoute extends RouteFacts {
  readonly access: Exclude<RouteAccess, "open">;
  handle(exchange: Exchange, caller: Caller): void | Promise<void>;
}

export type Route = OpenRoute | GuardedRoute;

/**
 * Finds the route of a request. Pure; imports nothing that runs.
 *
 * Paths are compared as they were sent: nothing is decoded, collapsed or trimmed first, so `//admin/state`,
 * `/admin/state/` and `/%61dmin/state` are simply not routes and no rule can be walked around.
 */
import type { Method, Route } from "./route.ts";

export type Found =
  | { readonly kind: "route"; readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  /** The path exists, not with this method. `allow` is the header; `route` says whose shape and access rule apply. */
  | { readonly kind: "other-method"; readonly allow: string; readonly route: Route }
  | { readonly kind: "nothing" };

type ByMethod = Map<Method, Route>;

interface Pattern {
  readonly segments: readonly string[];
  readonly methods: ByMethod;
}

const noParameters = Object.freeze({});
const nothing: Found = Object.freeze({ kind: "nothing" });

/** Compiles the table once. Throws when two routes are the same. */
export function createMatcher(routes: readonly Route[]): (method: string, path: string) => Found {
  const byPath = new Map<string, ByMethod>();
  for (const route of routes) {
    const methods = byPath.get(route.path) ?? new Map<Method, Route>();
    if (methods.has(route.method)) throw new Error(`Two routes for ${route.method} ${route.path}`);
    methods.set(route.method, route);
    byPath.set(route.path, methods);
  }
  const exact = new Map<string, ByMethod>();
  const patterns: Pattern[] = [];
  for (const [path, methods] of byPath) {
    if (/\/[:*]/.test(path)) patterns.push({ segments: path.split("/"), methods });
    else exact.set(path, methods);
  }

  return (method, path) => {
    const methods = exact.get(path);
    if (methods !== undefined) return choose(methods, method, noParameters);
    for (const pattern of patterns) {
      const parameters = matchPattern(pattern.segments, path);
      if (parameters !== null) return choose(pattern.methods, method, parameters);
    }
    return nothing;
  };
}

function choose(methods: ByMethod, method: string, parameters: Readonly<Record<string, string>>): Found {
  const wanted = method === "HEAD" ? "GET" : method;
  const route = methods.get(wanted as Method);
  if (route !== undefined) return { kind: "route", route, parameters };
  const first = methods.values().next().value;
  if (first === undefined) return nothing;
  return { kind: "other-method", allow: allowHeader([...methods.keys()]), route: first };
}

function allowHeader(methods: readonly Method[]): string {
  const names = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return [...names, "OPTIONS"].join(", ");
}

function matchPattern(pattern: readonly string[], path: string): Readonly<Record<string, string>> | null {
  const segments = path.split("/");
  const parameters: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const rest = wanted.startsWith("*");
    const raw = rest ? segments.slice(index).join("/") : segments[index];
    if (raw === undefined) return null;
    if (!rest && !wanted.startsWith(":")) {
      if (raw !== wanted) return null;
      continue;
    }
    const value = decoded(raw);
    if (value === null || value === "") return null;
    parameters[wanted.slice(1)] = value;
    if (rest) return parameters;
  }
  return segments.length === pattern.length ? parameters : null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

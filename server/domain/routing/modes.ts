/** How a route uses its groups. One registry line per mode; the router runs them. Pure. */

export const routeModes = Object.freeze({
  plain: { words: "one target answers; the next one is tried when it cannot" },
} as const);

export type RouteMode = keyof typeof routeModes;

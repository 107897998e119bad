/** How a route uses its groups. One registry line per mode; `server/router/modes` runs them. Pure. */

export const routeModes = Object.freeze({
  plain: { words: "one target answers; the next one is tried when it cannot", first: null, later: null },
  cascade: {
    words: "the first group drafts; where its draft is not sure enough, the next group answers",
    first: "draft",
    later: "escalated",
  },
  consensus: {
    words: "the targets of the first group answer until they agree; the next group breaks ties",
    first: "voter",
    later: "tie_breaker",
  },
} as const);

export type RouteMode = keyof typeof routeModes;

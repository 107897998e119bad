/** As they are written: the first is the one that is wanted. Pure. */
import type { Strategy } from "./strategy.ts";

export const inOrder: Strategy = {
  words: "as they are written",
  order: (candidates) => candidates.map((candidate) => ({ candidate, reason: "in_order", detail: "" })),
};

/** The most wanted region first; what is on this box counts as there, what is nowhere comes last. Pure. */
import type { Candidate } from "../target.ts";
import { orderedBy, type Strategy } from "./strategy.ts";

export const region: Strategy = {
  words: "the most wanted region first",
  order: (candidates, { prefer }) => {
    const place = (candidate: Candidate) => {
      if (candidate.kind === "engine") return -1;
      const index = candidate.region === null ? -1 : prefer.indexOf(candidate.region);
      return index === -1 ? Infinity : index;
    };
    return orderedBy(candidates, place).map((candidate) => ({
      candidate,
      reason: "region",
      detail: candidate.region ?? (candidate.kind === "engine" ? "this box" : "its region is not known"),
    }));
  },
};

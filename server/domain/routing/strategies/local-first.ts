/** This box, then its peers, then machines rented by the hour, then what is paid by the token. Pure. */
import type { Candidate } from "../target.ts";
import { orderedBy, type Strategy } from "./strategy.ts";

const distance: Readonly<Record<Candidate["kind"], number>> = Object.freeze({
  engine: 0,
  peer: 1,
  rental: 2,
  cloud: 3,
});

export const localFirst: Strategy = {
  words: "this box, then its peers, then rented machines, then the cloud",
  order: (candidates) =>
    orderedBy(candidates, ({ kind }) => distance[kind]).map((candidate) => ({
      candidate,
      reason: "local_first",
      detail: candidate.kind,
    })),
};

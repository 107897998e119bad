/** How the papers' figures are written down: short words for what a paper prints, and one maker of figures for each paper. Pure. */
import type { Computed, PaperId, Said, SeedFigure, SeedUnit } from "./seed-figure.ts";
import type { Ratio } from "../ratio.ts";

/** Rounded to `step`; 0: not at all. */
export function is(value: number, step = 1): Said {
  return { low: value, high: value, step, bound: null };
}

export function range(low: number, high: number, step = 1): Said {
  return { low, high, step, bound: null };
}

export function orMore(value: number): Said {
  return { low: value, high: value, step: 0, bound: "more" };
}

export function orLess(value: number): Said {
  return { low: value, high: value, step: 0, bound: "less" };
}

export function ends(low: Ratio, high: Ratio): Computed {
  return { low, high };
}

export type Maker = (
  line: number,
  what: string,
  unit: SeedUnit,
  said: Said,
  ours: SeedFigure["ours"],
  how: string,
) => SeedFigure;

export function figuresOf(paper: PaperId, section: string): Maker {
  return (line, what, unit, said, ours, how) => ({
    id: `${paper}-${line}-${what
      .toLowerCase()
      .replace(/[^a-z0-9]+/gu, "-")
      .replace(/^-|-$/gu, "")}`,
    paper,
    section,
    line,
    what,
    unit,
    said,
    ours,
    how,
  });
}

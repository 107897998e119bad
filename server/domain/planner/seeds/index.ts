/** Every figure of the papers that is arithmetic, in the order of the papers and their lines. Pure; computed when asked. */
import { guideCaseFigures } from "./guide-cases.ts";
import { guideExampleFigures } from "./guide-example.ts";
import { guideScalingFigures } from "./guide-scaling.ts";
import { lectureFigures } from "./lecture.ts";
import { orchestrationFigures } from "./orchestration.ts";
import { providersFigures } from "./providers.ts";
import { compared, papers, type SeedFigure, shown, type ShownFigure, type Verdict } from "./seed-figure.ts";
import { strategyFigures } from "./strategy.ts";

export const seedFigures: readonly SeedFigure[] = Object.freeze(
  papers.flatMap(({ id }) =>
    [
      ...strategyFigures,
      ...guideExampleFigures,
      ...guideScalingFigures,
      ...guideCaseFigures,
      ...lectureFigures,
      ...orchestrationFigures,
      ...providersFigures,
    ]
      .filter(({ paper }) => paper === id)
      .sort((left, right) => left.line - right.line),
  ),
);

export function allShown(): readonly ShownFigure[] {
  return seedFigures.map((figure) => shown(compared(figure)));
}

export function countsOf(figures: readonly ShownFigure[]): Readonly<Record<Verdict, number>> {
  const counts = { agrees: 0, near: 0, differs: 0, no_inputs: 0 };
  for (const { verdict } of figures) counts[verdict] += 1;
  return counts;
}

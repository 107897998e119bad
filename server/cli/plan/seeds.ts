/** `lanthorn plan --seeds`: the papers' figures beside the same ones computed from their own inputs. Runs in the command's process. */
import { allShown, countsOf } from "../../domain/planner/seeds/index.ts";
import { papers, type ShownFigure, type Verdict } from "../../domain/planner/seeds/seed-figure.ts";
import type { CommandContext } from "../command.ts";
import { plural, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import type { PlanFlags } from "./flags.ts";

const verdictWords: Readonly<Record<Verdict, string>> = Object.freeze({
  agrees: "agrees",
  near: "near",
  differs: "DIFFERS",
  no_inputs: "no inputs",
});

const columns: readonly Column<ShownFigure>[] = [
  { title: "LINE", of: ({ line }) => String(line), align: "right" },
  { title: "FIGURE", of: ({ what }) => what },
  { title: "PAPER", of: ({ said }) => said.text, align: "right" },
  { title: "OURS", of: ({ ours }) => ours?.text ?? unknownMark, align: "right" },
  { title: "", of: ({ verdict }) => verdictWords[verdict] },
  { title: "HOW", of: ({ verdict, how }) => (verdict === "agrees" ? "" : how) },
];

export async function showSeeds({ disagreements }: PlanFlags, context: CommandContext): Promise<void> {
  const all = allShown();
  const figures = disagreements === true ? all.filter(({ verdict }) => verdict === "differs") : all;
  context.output.answer(figures, () => seedsText(all, figures));
}

function seedsText(all: readonly ShownFigure[], figures: readonly ShownFigure[]): string {
  const { agrees, near, differs, no_inputs } = countsOf(all);
  const tables = papers.flatMap(({ id, title }) => {
    const own = figures.filter(({ paper }) => paper === id);
    return own.length === 0 ? [] : [`${title}\n${tableText(columns, own)}`];
  });
  return [
    `${plural(all.length, "figure")}: ${agrees} agree, ${near} are within 5 %, ${differs} differ, ${no_inputs} cannot be computed from what the paper gives.`,
    ...tables,
    "next   lanthorn plan --seeds --disagreements",
  ].join("\n\n");
}

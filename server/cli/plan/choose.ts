/** `lanthorn plan choose`: the decision tree and the scoring matrix. Runs in the command's process. */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type Choice,
  choose,
  type FactorName,
  factorNames,
  factors,
  type Scored,
  type Situation,
  scored,
  type Way,
  type Weights,
} from "../../domain/planner/choose.ts";
import { numberOf } from "../../domain/planner/ratio.ts";
import type { CommandContext } from "../command.ts";
import { factLines, tableText } from "../table.ts";
import type { PlanFlags } from "./flags.ts";

interface ChooseFlags extends PlanFlags {
  readonly privacy?: boolean;
  readonly months: number;
  readonly quality: Situation["quality"];
  readonly expertise: Situation["expertise"];
  readonly budget: Situation["budget"];
  readonly weight?: Weights;
}

const words: Readonly<Record<Way, string>> = Object.freeze({ own: "GPUs of one's own", api: "an API", hybrid: "both" });

export function defineChoose(command: Command, context: CommandContext): void {
  command
    .command("choose")
    .description("a decision tree of six questions, and a scoring matrix")
    .option("--privacy", "the data must not leave")
    .option("--months <number>", "how long it will run", readMonths, 12)
    .addOption(
      choice("--quality <level>", "what the answers must be", ["best", "very-good", "good-enough"], "very-good"),
    )
    .addOption(choice("--expertise <level>", "of those who will run it", ["none", "some", "strong"], "some"))
    .addOption(choice("--budget <kind>", "what can be paid", ["limited", "invest", "very-limited"], "limited"))
    .option("--weight <factor=number>", `repeatable: ${factorNames.join(", ")}`, readWeight)
    .action(async (_own: unknown, self: Command) => {
      const flags = self.optsWithGlobals<ChooseFlags>();
      const [{ settingsOf }, { demandOf }, { monthOf }] = await Promise.all([
        import("./facts.ts"),
        import("../../domain/planner/from-settings.ts"),
        import("../../domain/planner/demand.ts"),
      ]);
      const settings = await settingsOf(flags, context);
      const { months, quality, expertise, budget } = flags;
      const queriesPerMonth = numberOf(monthOf(demandOf(settings)).queries);
      const privacyIsCritical = flags.privacy === true;
      const tree = choose({ privacyIsCritical, queriesPerMonth, months, quality, expertise, budget });
      const matrix = scored(flags.weight ?? {});
      context.output.answer({ tree, matrix: plainMatrix(matrix) }, () => chooseText(tree, matrix));
    });
}

function choice(flag: string, means: string, levels: readonly string[], otherwise: string): Option {
  return new Option(flag, means).choices(levels).default(otherwise);
}

function readMonths(text: string): number {
  const months = Number(text);
  if (!/^\d{1,3}$/u.test(text) || months < 1) throw new InvalidArgumentError("A whole number from 1 to 999.");
  return months;
}

function readWeight(text: string, before: Weights = {}): Weights {
  const [name = "", number = ""] = text.split("=");
  if (!factorNames.includes(name as FactorName) || !/^\d{1,6}(\.\d{1,4})?$/u.test(number)) {
    throw new InvalidArgumentError(`One of ${factorNames.join(", ")}, as privacy=40.`);
  }
  return { ...before, [name]: Number(number) };
}

/** Scores as numbers to four decimals, for JSON and people. */
function plainMatrix({ own, api, way, rows }: Scored) {
  const plain = (value: Parameters<typeof numberOf>[0]) => Number(numberOf(value).toFixed(4));
  return {
    own: plain(own),
    api: plain(api),
    way,
    rows: rows.map((row) => ({ ...row, weightPercent: plain(row.weightPercent) })),
  };
}

function chooseText(tree: Choice, matrix: Scored): string {
  const plain = plainMatrix(matrix);
  const answers = tableText(
    [
      { title: "QUESTION", of: ({ question }) => question },
      { title: "ANSWER", of: ({ answer }) => answer },
      { title: "POINTS TO", of: ({ way }) => (way === null ? "either" : words[way]) },
      { title: "WHY", of: ({ why }) => why },
    ],
    tree.answers,
  );
  const rows = tableText(
    [
      { title: "FACTOR", of: ({ name }) => factors[name].title },
      { title: "WEIGHT", of: ({ weightPercent }) => `${weightPercent} %`, align: "right" },
      { title: "OWN", of: ({ own }) => String(own), align: "right" },
      { title: "API", of: ({ api }) => String(api), align: "right" },
    ],
    plain.rows,
  );
  const mandatory = tree.mandatory ? ", and nothing overrules it" : "";
  return [
    answers,
    rows,
    factLines([
      [
        "tree",
        `${words[tree.way]}: "${tree.decidedBy}" decides${mandatory}; ${tree.against} of the other answers point elsewhere`,
      ],
      ["matrix", `own ${plain.own}, API ${plain.api} of 5: ${plain.way === null ? "a tie" : words[plain.way]}`],
    ]),
    "The questions, bounds and scores are the deployment guide's (section 9), not measured here.\n\nnext   lanthorn plan",
  ].join("\n\n");
}

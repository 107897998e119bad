/** `lanthorn models recommend`: which models of the catalog to take on this machine or a recorded one, best first. */
import { type Command, Option } from "commander";
import type { RecommendPurpose, Recommendation } from "../../../models/catalog/recommend.ts";
import type { CommandContext } from "../command.ts";
import { bytesText, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";

/** As in `models/catalog/recommend.ts`, which is loaded only when the command runs. */
const purposes: readonly RecommendPurpose[] = ["coding", "chat", "autocomplete", "embeddings"];

interface RecommendFlags {
  readonly for: RecommendPurpose;
  readonly hardware?: string;
}

export const recommendExamples = [
  ["lanthorn models recommend", "what fits here for coding, best first"],
  ["lanthorn models recommend --for autocomplete", "small models that fill in the middle"],
  ["lanthorn models recommend --hardware box.json", "for another machine, as it was written down"],
] as const;

export function defineRecommend(command: Command, context: CommandContext): void {
  command
    .command("recommend")
    .description("models that fit this machine, best first")
    .addOption(new Option("--for <purpose>", "what it is to do").choices([...purposes]).default("coding"))
    .option("--hardware <file>", "a machine written down in a file instead of this one")
    .action((flags: RecommendFlags) => show(flags, context));
}

/** One line of the answer. */
export interface ShownRecommendation {
  readonly model: string;
  readonly title: string;
  readonly bytes: number;
  readonly placement: string;
  readonly speed: string | null;
  readonly contextLength: number;
  readonly slots: number;
  readonly licence: string;
  /** It must be accepted before the download. */
  readonly licenceRestricted: boolean;
  readonly exact: boolean;
  readonly reason: string;
  readonly note: string | null;
}

export function shownRecommendation({ entry, bytes, verdict, exact, reason }: Recommendation): ShownRecommendation {
  return {
    model: entry.id,
    title: entry.title,
    bytes,
    placement: verdict.placement,
    speed: verdict.speed,
    contextLength: verdict.contextLength,
    slots: verdict.slots,
    licence: entry.licence.id,
    licenceRestricted: entry.licence.restricted,
    exact,
    reason,
    note: entry.note,
  };
}

const columns: readonly Column<ShownRecommendation>[] = [
  { title: "MODEL", of: (one) => one.model },
  { title: "SIZE", of: (one) => bytesText(one.bytes), align: "right" },
  { title: "SPEED", of: (one) => one.speed ?? unknownMark },
  { title: "LICENCE", of: (one) => (one.licenceRestricted ? `${one.licence} (!)` : one.licence) },
  { title: "WHY", of: (one) => one.reason },
];

export function recommendText(purpose: RecommendPurpose, answer: readonly ShownRecommendation[]): string {
  const [first] = answer;
  if (first === undefined) return `No model of the catalog for ${purpose} fits this machine.`;
  const accept = first.licenceRestricted ? " --accept-license" : "";
  return `${tableText(columns, answer)}\n\nnext   lanthorn models pull ${first.model}${accept}`;
}

async function show(flags: RecommendFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const [{ recommend }, { fitOf }, { readMachine }, { loadConfig }, { dataPaths }] = await Promise.all([
    import("../../../models/catalog/recommend.ts"),
    import("../../domain/fit/fit.ts"),
    import("./fit-machine.ts"),
    import("../../config/load.ts"),
    import("../../platform/paths.ts"),
  ]);
  const { environment, workingFolder } = context;
  const paths = dataPaths(environment);
  const { values: config } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
  const machine = await readMachine({ hardware: flags.hardware ?? null, paths, config, workingFolder });
  const answer = recommend({ purpose: flags.for, machine, fitOf }).map(shownRecommendation);
  output.answer(answer, () => recommendText(flags.for, answer));
  if (answer.some((one) => one.licenceRestricted))
    output.note("(!) its licence forbids some uses and must be accepted before the download.");
}

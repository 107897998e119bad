/** `lanthorn models fit`: whether a model fits this machine, or one that is written down, before it is downloaded or loaded. */
import { type Command, InvalidArgumentError } from "commander";
import type { FitVerdict, FitWishes, KvType } from "../../domain/fit/verdict.ts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";

interface FitFlags {
  readonly context?: number;
  readonly slots?: number;
  readonly kv: KvType;
  readonly hardware?: string;
}

/** What `--json` says. */
export interface FitAnswer extends FitVerdict {
  readonly model: string;
  readonly sizeBytes: number;
  /** Where the shape is from: the file, its header on another machine, or the catalog. */
  readonly source: "file" | "header" | "catalog";
  /** On the GPUs as a whole, or, without one, in memory. */
  readonly fits: boolean;
  readonly wishes: FitWishes;
}

export const fitExamples = [
  ["lanthorn models fit coder --slots 4", "memory of a model of this box with four slots"],
  ["lanthorn models fit owner/repo:q4_k_m --context 16384", "of one on the Hub: only its header is read"],
  ["lanthorn models fit coder --hardware other-box.json", "on another machine"],
] as const;

const kvTypes: readonly KvType[] = ["f16", "q8_0", "q4_0"];

export function defineFit(command: Command, context: CommandContext): void {
  command
    .command("fit <model>")
    .description("whether a model fits; exit 6 when it does not")
    .option(
      "--context <tokens>",
      "tokens one request may hold; by default what is sensible",
      readNumber(64, 16_777_216),
    )
    .option("--slots <number>", "requests answered at the same time (engine.slots)", readNumber(1, 256))
    .option("--kv <type>", `how keys and values are kept: ${kvTypes.join(", ")}`, readKv, "f16")
    .option("--hardware <file>", "a machine that is written down, instead of this one")
    .action((model: string, flags: FitFlags) => run(model, flags, context));
}

function readNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,9}$/u.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

function readKv(text: string): KvType {
  const found = kvTypes.find((type) => type === text.toLowerCase());
  if (found === undefined) throw new InvalidArgumentError(`One of ${kvTypes.join(", ")}.`);
  return found;
}

async function run(asked: string, flags: FitFlags, context: CommandContext): Promise<void> {
  const [
    { fitTarget },
    { fitPicture },
    { fitOf },
    { isWhole },
    { loadConfig },
    { dataPaths },
    { readMachine },
    lessons,
    build,
  ] = await Promise.all([
    import("./fit-target.ts"),
    import("./fit-picture.ts"),
    import("../../domain/fit/fit.ts"),
    import("../../domain/fit/place.ts"),
    import("../../config/load.ts"),
    import("../../platform/paths.ts"),
    import("./fit-machine.ts"),
    import("../../../models/fit-lessons.ts"),
    import("../../backends/engine/build.ts"),
  ]);
  const { environment, workingFolder, output } = context;
  const paths = dataPaths(environment);
  const { values: config } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
  const hardware = flags.hardware ?? null;
  const target = await fitTarget(asked, { context, config, paths });
  const machine = await readMachine({ hardware, paths, config, workingFolder });
  const wishes: FitWishes = {
    contextLength: flags.context ?? null,
    slots: flags.slots ?? config.engine.slots,
    kv: flags.kv,
    batchSize: config.engine.batchSize,
  };
  const corrections = lessons
    .openFitLessons(paths.fitLessons)
    .correctionsFor(target.shape.architecture, build.engineBuild());
  const verdict = fitOf(target.shape, machine, wishes, corrections);
  const fits = isWhole(machine, verdict.placement);
  if (target.note !== null) output.note(target.note);
  const answer: FitAnswer = {
    model: target.name,
    sizeBytes: target.sizeBytes,
    source: target.source,
    fits,
    wishes,
    ...verdict,
  };
  output.answer(answer, () =>
    fitPicture({ asked, name: target.name, verdict, wishes, machine, inputBytes: target.shape.inputBytes, hardware }),
  );
  if (!fits) context.setExitCode(exitCodes.noRoom);
}

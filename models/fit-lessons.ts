/**
 * What real loads taught about memory, kept in a small file of the data folder: per architecture and engine build. Runs in
 * the server, which writes it after a load, and in commands, which read it. A file that is missing or damaged counts as
 * empty: the arithmetic holds without it.
 */
import { z } from "zod";
import {
  type Corrections,
  correctionsOf,
  type EngineBytes,
  type Learned,
  learn,
  noCorrections,
  nothingLearned,
} from "../server/domain/fit/corrections.ts";
import { readOwnerFile, writeOwnerFile } from "../server/platform/owner-file.ts";

/** Most architectures and builds that are remembered; the one that was seen longest ago goes first. */
const mostLessons = 64;

const factor = z.number().min(0.01).max(100);
const lesson = z.object({
  architecture: z.string().max(200),
  build: z.string().max(200),
  loads: z.int().min(0),
  factors: z.object({ weights: factor, kv: factor, compute: factor }),
});
const lessonsFile = z.object({ version: z.literal(1), lessons: z.array(lesson).max(mostLessons) });

type Lesson = z.infer<typeof lesson>;

export interface FitLessons {
  /** `build`: of the engine, so that a new version begins anew. */
  correctionsFor(architecture: string, build: string): Corrections;
  /** After a load. `estimated` without corrections. Throws what the file system throws. */
  note(architecture: string, build: string, estimated: EngineBytes, measured: EngineBytes): void;
}

export function openFitLessons(path: string): FitLessons {
  const find = (lessons: readonly Lesson[], architecture: string, build: string): Learned =>
    lessons.find((one) => one.architecture === architecture && one.build === build) ?? nothingLearned;
  return {
    correctionsFor: (architecture, build) => {
      const learned = find(read(path), architecture, build);
      return learned.loads === 0 ? noCorrections : correctionsOf(learned);
    },
    note: (architecture, build, estimated, measured) => {
      const lessons = read(path);
      const { factors, loads } = learn(find(lessons, architecture, build), estimated, measured);
      const others = lessons.filter((one) => one.architecture !== architecture || one.build !== build);
      const kept = [...others, { architecture, build, loads, factors }].slice(-mostLessons);
      writeOwnerFile(path, `${JSON.stringify({ version: 1, lessons: kept }, null, 1)}\n`);
    },
  };
}

function read(path: string): readonly Lesson[] {
  try {
    return lessonsFile.parse(JSON.parse(readOwnerFile(path) ?? "null")).lessons;
  } catch {
    return [];
  }
}

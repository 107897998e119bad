/** Judges a whole input file before anything of it runs. Runs in the server; reads line by line, so that a large file is no large memory. */
import { LineJudge } from "../dialects/openai-batch/lines.ts";
import type { BatchProblem } from "../domain/batch.ts";
import { textLines } from "./text-lines.ts";

export interface JudgedFile {
  readonly problems: readonly BatchProblem[];
  readonly lines: number;
}

/** `mostLineBytes`: as much as the body of a request may have. Stops early, without problems, when the signal aborts. Throws what the file system throws. */
export async function judgeFile(
  path: string,
  endpoint: string,
  mostLineBytes: number,
  signal: AbortSignal,
): Promise<JudgedFile> {
  const judge = new LineJudge(endpoint);
  for await (const { text } of textLines(path, mostLineBytes)) {
    if (signal.aborted || judge.isFull) break;
    judge.read(text);
  }
  if (judge.lines === 0 && judge.problems.length === 0 && !signal.aborted) {
    const message = "The input file has no requests.";
    return { problems: [{ line: null, code: "empty_file", message, param: null }], lines: 0 };
  }
  return { problems: judge.problems, lines: judge.lines };
}

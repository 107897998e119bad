/**
 * The last words of `npm test`: every skipped test with its reason, then `N passed, N failed, N skipped`, the line that
 * continuous integration reads. Runs in vitest's main process.
 */
import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  /** Full names of the skipped tests, with why. */
  skips: string[];
}

/**
 * Counts tests. A file that could not be read and an error outside of any test count as one failure each: the line never says
 * "0 failed" about a run that failed.
 */
export function outcomeOf(modules: readonly TestModule[], errorsOutside: number): Outcome {
  const outcome: Outcome = { passed: 0, failed: errorsOutside, skipped: 0, skips: [] };
  for (const module of modules) {
    outcome.failed += module.errors().length;
    for (const suite of module.children.allSuites()) outcome.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") outcome.passed += 1;
      else if (result.state === "failed") outcome.failed += 1;
      else {
        const why = result.state === "skipped" ? (result.note ?? "skipped in the test itself") : "not run";
        outcome.skipped += 1;
        outcome.skips.push(`${module.relativeModuleId} > ${test.fullName}: ${why}`);
      }
    }
  }
  return outcome;
}

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const { passed, failed, skipped, skips } = outcomeOf(modules, errors.length);
    const lines = skips.length === 0 ? [] : ["Skipped:", ...skips.map((skip) => `  ${skip}`), ""];
    const text = [...lines, `${passed} passed, ${failed} failed, ${skipped} skipped`].join("\n");
    // Written as the process ends, so that nothing vitest still has to say comes after it.
    process.once("exit", () => writeSync(process.stdout.fd, `${text}\n`));
  }
}

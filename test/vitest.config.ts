/** How `npm test` runs: every test file in its own process, on a machine that may have only two cores. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Times of less than a second under a load that takes every core: a neighbour's work would be measured with them. */
const alone = ["test/e2e/overload.e2e.test.ts"];

/**
 * What keeps a process of its own: it measures its memory, mocks a module, or changes what its process may. A start of a process and
 * the imports cost up to a second of CPU a file, so the others run one after the other in two processes.
 */
const apart = [
  "test/{build,clients,e2e,electron}/**/*.test.ts",
  "test/models/gguf/{hostile,validate}.test.ts",
  "test/server/fuzz.test.ts",
  "test/server/backends/engine/grammar/bombs.test.ts",
  "test/server/hardware/run.test.ts",
  "test/server/http/{bad-days,framing}.test.ts",
  "test/server/ledger/settings.test.ts",
];

/** The bin's own cache of compiled sources, also for the engine's processes that a test starts without the bin. */
export const compileCache = fileURLToPath(new URL("../node_modules/.cache/lanthorn-compile", import.meta.url));

const everywhere = ["test/long/**", "test/bench/**", ...alone];

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  // Nothing of the web page's build is wanted here.
  publicDir: false,
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { NODE_COMPILE_CACHE: compileCache },
    reporters: ["default", fileURLToPath(new URL("support/closing-line.ts", import.meta.url))],
    projects: [
      // In the order of their names, each with its longest files first: what is left for the end is short.
      {
        extends: true,
        test: { name: "apart", include: apart, exclude: everywhere, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: [...everywhere, ...apart],
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});

/** How `npm test` runs: every test file in its own process, on a machine that may have only two cores. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Times of less than a second under a load that takes every core: a neighbour's work would be measured with them. */
const alone = ["test/e2e/overload.e2e.test.ts"];

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  // Nothing of the web page's build is wanted here.
  publicDir: false,
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", fileURLToPath(new URL("support/closing-line.ts", import.meta.url))],
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: ["test/long/**", "test/bench/**", ...alone],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});

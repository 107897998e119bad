/** How `npm test` runs: every test file in its own process, on a machine that may have only two cores. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  // Nothing of the web page's build is wanted here.
  publicDir: false,
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/long/**", "test/bench/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", fileURLToPath(new URL("support/closing-line.ts", import.meta.url))],
  },
});

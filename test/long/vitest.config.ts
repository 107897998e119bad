/** How `npm run test:long` runs: the counts as the acceptance checks write them, one file after the other. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  publicDir: false,
  test: {
    include: [
      "test/long/**/*.long.ts",
      // What `npm test` runs a part of (test/support/full.ts).
      "test/server/backends/engine/{residency,kv-return,engine-memory,embedding}.test.ts",
      "test/server/backends/engine/grammar/random-schemas.test.ts",
      "test/e2e/{chat,residency}.e2e.test.ts",
      "test/server/domain/rental/fleet.test.ts",
      "test/server/rented-story-box.test.ts",
    ],
    env: { LANTHORN_TEST_FULL: "1" },
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
    reporters: ["default", fileURLToPath(new URL("../support/closing-line.ts", import.meta.url))],
  },
});

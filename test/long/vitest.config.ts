/** How `npm run test:long` runs: the counts as the acceptance checks write them, one file after the other. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { compileCache } from "../vitest.config.ts";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  publicDir: false,
  test: {
    include: [
      "test/long/**/*.long.ts",
      // What `npm test` runs a part of (test/support/full.ts, and test/server/cli/run-command.ts by it).
      "test/e2e/{chat,import,residency,tls}.e2e.test.ts",
      "test/server/{budget-box,money-box,naughty-strings,reconcile-box,rented-story-box,route-apply,routes-box}.test.ts",
      "test/server/backends/engine/{embedding,engine-memory,fairness,kv-return,residency}.test.ts",
      "test/server/backends/engine/grammar/random-schemas.test.ts",
      "test/server/cli/{main,models-fit,with-a-server}.test.ts",
      "test/server/cli/{commands,rental}/*.test.ts",
      "test/server/domain/rental/{burn-meter,fleet,lease-step}.test.ts",
      "test/server/rental/kill.test.ts",
      "test/server/ledger/kill-loop.test.ts",
      "test/support/markets/stand-in.test.ts",
    ],
    env: { LANTHORN_TEST_FULL: "1", NODE_COMPILE_CACHE: compileCache },
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
    reporters: ["default", fileURLToPath(new URL("../support/closing-line.ts", import.meta.url))],
  },
});

/** kill -9 at any moment of a story of leases: none is forgotten, none is made twice, and the ledger has what the market's own meter has. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Burn } from "../../../server/domain/rental/lease.ts";
import { paidNanos } from "../../../server/domain/rental/burn.ts";
import type { LeaseBurn } from "../../../server/ledger/leases.ts";
import { full } from "../../support/full.ts";
import { seeded } from "../../support/random.ts";
import { box } from "../../support/rental/rental-world.ts";
import { usd } from "../../support/rental/fake-market.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { rowsOf } from "../ledger/open-ledger.ts";

const script = fileURLToPath(new URL("kill-child.ts", import.meta.url));
const stories = full ? 6 : 2;
const killsEach = full ? 20 : 4;
const minutes = full ? 240 : 60;

interface Told {
  readonly orphans: readonly string[];
  readonly unkept: readonly string[];
  readonly standing: readonly (string | null)[];
  readonly leases: readonly {
    readonly id: number;
    readonly state: string;
    readonly instanceId: string | null;
    readonly burn: Burn;
  }[];
  readonly report: readonly LeaseBurn[];
  readonly billed: Readonly<Record<string, number>>;
  readonly labels: readonly (string | null)[];
}

function life(folder: string, seed: number, killAt: number) {
  const child = spawnSync(process.execPath, [script, folder, String(seed), String(minutes), String(killAt)], {
    ...{ encoding: "utf8", timeout: 60_000, maxBuffer: 16e6 },
  });
  if (child.status !== 0 && child.signal !== "SIGKILL") throw new Error(child.stderr);
  return child;
}

/** The box is away for up to half a minute, and the world is not. */
function downtime(folder: string, ms: number): void {
  const file = join(folder, "outside.json");
  const outside = JSON.parse(readFileSync(file, "utf8")) as { nowMs: number };
  writeFileSync(file, JSON.stringify({ ...outside, nowMs: outside.nowMs + ms }));
}

test.each(Array.from({ length: stories }, (_, index) => index + 1))(
  "S-18 kill -9 at seeded moments of renting, seed %i: orphans are the market's list less the leases, and the money is the market's to the cent",
  { timeout: 300_000 },
  (seed) => {
    const random = seeded(seed);
    const folder = temporaryFolder();
    let kills = 0;
    for (let lives = 0; lives < 3 * killsEach && kills < killsEach; lives += 1) {
      const { signal } = life(folder, seed, 1 + random.below(full ? 60 : 30));
      if (signal !== "SIGKILL") break;
      kills += 1;
      downtime(folder, random.below(30_000));
      expect(rowsOf(join(folder, "ledger.sqlite"), "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    }
    expect(kills).toBeGreaterThan(2);
    const told = JSON.parse(life(folder, seed, 0).stdout) as Told;
    expect(told.orphans).toEqual(told.unkept);
    expect(told.standing).toEqual([`lanthorn-${box}-777`]);
    expect(told.leases.every(({ state }) => state === "ended")).toBe(true);
    expect(told.leases.length).toBeGreaterThan(2);
    // Never two for one lease.
    expect(new Set(told.labels).size).toBe(told.labels.length);
    let [ours, theirs] = [0, 0];
    for (const { id, instanceId, burn } of told.leases) {
      const billed = told.billed[instanceId ?? ""] ?? 0;
      ours += paidNanos(burn);
      theirs += billed;
      expect(paidNanos(burn) - billed, `lease ${id}`).toBeGreaterThan(-usd(0.01));
      expect(paidNanos(burn) - billed, `lease ${id}`).toBeLessThan(usd(0.01));
      const row = told.report.find(({ lease }) => lease === id);
      expect(row?.nanos ?? 0).toBe(paidNanos(burn));
    }
    expect(theirs).toBeGreaterThan(usd(0.1));
    expect(Math.abs(ours - theirs)).toBeLessThan(usd(0.02));
  },
);

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openLedger } from "../../../server/ledger/ledger.ts";
import { createReaderLink } from "../../../server/ledger/reader/link.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { rowsOf } from "./open-ledger.ts";
import { ending, opening } from "./rows.ts";

test("S-29 loss window: a second after a row was written it is in the file itself, synced by the reader thread", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "ledger.db");
  const clock = manualClock();
  const ledger = openLedger(path, { clock, log: recordedLog() });
  onTestFinished(() => ledger.close());
  ledger.writer.openRequest(opening("req_1"));
  await ledger.writer.closeRequest(ending("req_1"));
  clock.advance(1000);
  // Asked after the checkpoint, so answered after it.
  await ledger.reports.show("req_1");
  // Without its write-ahead log: what a disk holds that lost the rest.
  const alone = join(folder, "alone.db");
  copyFileSync(path, alone);
  expect(rowsOf(alone, "SELECT id, status FROM requests")).toEqual([{ id: "req_1", status: "done" }]);
});

test("a reader thread that cannot start says so, each time it is asked, and takes nothing down", async () => {
  const link = createReaderLink(join(temporaryFolder(), "absent.db"));
  for (let times = 0; times < 2; times += 1) {
    await expect(link.ask("show", "req_1")).rejects.toMatchObject({ code: "ledger_unavailable" });
  }
  await link.close();
});

/** Is the ledger whole? Looked at only while no server holds it: a running one checks nothing that this would not. */
import { existsSync, statSync } from "node:fs";
import { withLedger } from "../data-folder.ts";
import { bytesText, plural } from "../format.ts";
import { type Check, fail, note, ok } from "./check.ts";

export const ledgerCheck: Check = {
  title: "Ledger",
  look: async ({ paths, environment, server }) => {
    if (!existsSync(paths.ledger)) return note("none yet; it begins with the first start");
    const size = bytesText(statSync(paths.ledger).size);
    if (server !== null) return note(`${size}; in use by the server, so its integrity was not checked`);
    const { ok: isWhole, problems } = await withLedger(environment, (ledger) => ledger.reports.integrity());
    if (isWhole) return ok(`integrity ok, ${size}`);
    const [first = "unknown"] = problems;
    return fail(
      `${plural(problems.length, "problem")}, the first: ${first}`,
      `keep a copy of ${paths.ledger} and restore a backup`,
    );
  },
};

/** `lanthorn rental …`: its sub-commands by name, one file each in `server/cli/rental/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { bidExamples, defineBid } from "../rental/bid.ts";
import { billsExamples, defineBills } from "../rental/bills.ts";
import { burnExamples, defineBurn } from "../rental/burn.ts";
import { defineList, listExamples } from "../rental/list.ts";
import { defineOffers, offersExamples } from "../rental/offers.ts";
import { defineOrders, orderExamples } from "../rental/orders.ts";
import { defineOrphans, orphanExamples } from "../rental/orphans.ts";
import { defineRent, rentExamples } from "../rental/rent.ts";
import { defineWatch, watchExamples } from "../rental/watch.ts";

interface Subcommand {
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  define(command: Command, context: CommandContext): void;
}

/** In the order of the help. A file must not import anything slow before an action runs. */
const subcommands: readonly Subcommand[] = [
  { examples: offersExamples, define: defineOffers },
  { examples: rentExamples, define: defineRent },
  { examples: listExamples, define: defineList },
  { examples: orderExamples, define: defineOrders },
  { examples: bidExamples, define: defineBid },
  { examples: watchExamples, define: defineWatch },
  { examples: orphanExamples, define: defineOrphans },
  { examples: burnExamples, define: defineBurn },
  { examples: billsExamples, define: defineBills },
];

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap((one) => [...one.examples]),
  );
  for (const one of subcommands) one.define(command, context);
}

/** `lanthorn fleet find`: the boxes that announce themselves on this network. Needs no server here and sends no key. */
import { networkInterfaces } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import type { FoundBox } from "../../platform/lan/find.ts";
import { type CommandContext, examples } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../format.ts";
import { tableText } from "../table.ts";

interface FindFlags {
  readonly timeout: number;
}

/** Long enough for three questions, and for a sleepy access point to pass one on. */
const defaultTimeoutS = 3;

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn fleet find", "name, address, version and certificate of each box on this network"],
    ["lanthorn fleet find --timeout 10 --json", "listens longer; an array"],
  ]);
  command
    .command("find")
    .description("boxes that announce themselves on this network")
    .option("--timeout <seconds>", "how long to listen", readSeconds, defaultTimeoutS)
    .action((flags: FindFlags) => find(flags, context));
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,3}(\.\d)?$/u.test(text) || seconds < 0.1)
    throw new InvalidArgumentError("A number of seconds, such as 5.");
  return seconds;
}

async function find(flags: FindFlags, context: CommandContext): Promise<void> {
  const { output, environment, signal } = context;
  const [{ findBoxes }, { announceAddresses }, { knownBoxId }, { dataPaths }] = await Promise.all([
    import("../../platform/lan/find.ts"),
    import("../../platform/lan/should-announce.ts"),
    import("../../platform/box-id.ts"),
    import("../../platform/paths.ts"),
  ]);
  const addresses = announceAddresses("0.0.0.0", networkInterfaces());
  const progress = output.progress(`Listening for ${plural(flags.timeout, "second")}`);
  const { boxes, deaf } = await findBoxes({ addresses, forMs: flags.timeout * 1000, signal });
  progress.end(null);
  if (deaf.length === addresses.length) {
    const reason = deaf[0]?.reason ?? "there is no network with an IPv4 address";
    throw new CommandFailure(exitCodes.failed, "no_multicast", "Nothing can be heard on this network", {
      why: `Multicast is not possible here: ${reason}.`,
      next: ["export LANTHORN_URL=http://<address of the box>:4747"],
    });
  }
  const own = knownBoxId(dataPaths(environment).home);
  const answer = boxes.map(({ box, ...rest }) => ({ ...rest, id: box, here: box === own }));
  output.answer(answer, () => (answer.length === 0 ? nothingText : boxesText(answer)));
}

const nothingText = [
  "No box announces itself on this network.",
  "A box does when it listens for the network: lanthorn serve --lan (setting announce; off in containers).",
].join("\n");

type ListedBox = Omit<FoundBox, "box"> & { readonly here: boolean };

/** The table, and under it how to use one. */
export function boxesText(boxes: readonly ListedBox[]): string {
  const table = tableText<ListedBox>(
    [
      { title: "NAME", of: (box) => (box.here ? `${box.name} (here)` : box.name) },
      { title: "ADDRESS", of: (box) => box.url },
      { title: "VERSION", of: (box) => box.version },
      { title: "KEY", of: (box) => (box.keyNeeded ? "needed" : "none") },
      { title: "CERTIFICATE (SHA-256)", of: (box) => box.fingerprint ?? "none: not encrypted" },
    ],
    boxes,
  );
  const other = boxes.find((box) => !box.here) ?? boxes[0];
  if (other === undefined) return table;
  const pin = other.fingerprint === null ? "" : ` LANTHORN_FINGERPRINT=${other.fingerprint}`;
  return [
    table,
    "",
    "Anybody on the network can announce anything: compare the certificate with what the box itself shows.",
    `next   export LANTHORN_URL=${other.url}${pin} LANTHORN_API_KEY=<key>`,
  ].join("\n");
}

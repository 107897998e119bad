/** `lanthorn models downloads`: what is on its way, and pausing, going on, giving up. */
import type { Command } from "commander";
import type { DownloadView } from "../../domain/download.ts";
import type { CommandContext } from "../command.ts";
import { type DownloadAction, withDownloadDesk } from "../download-desk.ts";
import { percentOf, stateText } from "../download-text.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { bytesText, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";

export const downloadsExamples = [
  ["lanthorn models downloads", "what is on its way, and how far"],
  [
    "lanthorn models downloads cancel 9f3c",
    "by the last characters of its id, or by its name; what was fetched is removed",
  ],
] as const;

const actions: readonly DownloadAction[] = ["pause", "resume", "cancel"];

export function defineDownloads(command: Command, context: CommandContext): void {
  command
    .command("downloads [action] [download]")
    .description("list downloads; pause, resume or cancel one")
    .action((action: string | undefined, selector: string | undefined) => downloads(action, selector, context));
}

async function downloads(
  action: string | undefined,
  selector: string | undefined,
  context: CommandContext,
): Promise<void> {
  if (action === undefined) return list(context);
  const known = actions.find((one) => one === action);
  if (known === undefined || selector === undefined) {
    throw new CommandFailure(exitCodes.usage, "usage", "Say what to do with which download", {
      next: actions.map((one) => `lanthorn models downloads ${one} <download>`),
    });
  }
  await withDownloadDesk(context, async (desk) => {
    const chosen = select(await desk.list(), selector);
    if (known === "resume" && !desk.goesOn) {
      throw new CommandFailure(exitCodes.noServer, "no_server", "Nobody would carry it out", {
        why: "No server runs, and this command is over at once.",
        next: [`lanthorn models pull ${chosen.model}`, "lanthorn serve"],
      });
    }
    const view = await desk.act(known, chosen.id);
    context.output.answer(view, () => `${printable(view.model)}: ${stateText(view, Date.now())}`);
  });
}

function select(views: readonly DownloadView[], selector: string): DownloadView {
  const found = views.filter(
    (view) => view.id.endsWith(selector) || view.model === selector || view.alias === selector,
  );
  const open = found.filter((view) => view.state !== "done" && view.state !== "cancelled");
  const [only, ...others] = open.length > 0 ? open : found;
  if (only !== undefined && others.length === 0) return only;
  throw new CommandFailure(
    exitCodes.noSuchThing,
    "no_such_download",
    only === undefined ? "There is no such download" : "Several downloads are meant by that",
    { next: ["lanthorn models downloads"] },
  );
}

async function list(context: CommandContext): Promise<void> {
  const views = await withDownloadDesk(context, (desk) => desk.list());
  const nowMs = Date.now();
  const columns: readonly Column<DownloadView>[] = [
    { title: "ID", of: (view) => view.id.slice(-4) },
    { title: "MODEL", of: (view) => view.model },
    { title: "SIZE", of: (view) => (view.bytes === null ? unknownMark : bytesText(view.bytes)), align: "right" },
    { title: "THERE", of: (view) => (view.bytes === null ? unknownMark : `${percentOf(view)} %`), align: "right" },
    { title: "STATE", of: (view) => stateText(view, nowMs) },
  ];
  context.output.answer(views, () => (views.length === 0 ? "Nothing is on its way." : tableText(columns, views)));
}

/** `lanthorn config show`: every setting, its value, and where the value came from. */
import type { Command } from "commander";
import type { Setting } from "../../config/show.ts";
import { configAnswer } from "../answers.ts";
import { withClient } from "../client.ts";
import { type CommandContext, examples } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { findServer } from "../server-address.ts";
import { type Column, tableText } from "../table.ts";

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn config show", "all settings of the running server, else of the next start"],
    ["lanthorn config show engine", "those of one section, with what they mean"],
  ]);
  command
    .command("show [name]")
    .description("settings, and where each came from")
    .action((name: string | undefined) => show(name, context));
}

async function show(name: string | undefined, context: CommandContext): Promise<void> {
  const { output } = context;
  const all = await settingsOf(context);
  const chosen = name === undefined ? all : all.filter((setting) => isPart(setting.path, name));
  if (name !== undefined && chosen.length === 0) throw await unknownSetting(name, all);
  // A few settings have room for what they mean; forty in one table have not.
  const shown = name === undefined ? columns : [...columns, meaning];
  output.answer(chosen, () => tableText(shown, chosen));
}

/** Of the server that runs, which may have been started with flags; else as the next start from here would see them. */
async function settingsOf(context: CommandContext): Promise<readonly Setting[]> {
  const address = findServer(context.environment);
  if (address !== null) {
    return withClient(address, (client) => client.call("GET", "/admin/config", configAnswer));
  }
  const [{ loadConfig }, { listSettings }, { dataPaths }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../config/show.ts"),
    import("../../platform/paths.ts"),
  ]);
  const { config: file } = dataPaths(context.environment);
  const { environment, workingFolder } = context;
  const resolved = loadConfig({ file, environment, flags: [], workingFolder });
  for (const warning of resolved.warnings) context.output.note(`note   ${warning}`);
  context.output.note(`No server is running; these are the settings of the next start. File: ${file}`);
  return listSettings(resolved);
}

/** `engine` means the whole section, `models` the whole list. */
function isPart(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`);
}

async function unknownSetting(name: string, all: readonly Setting[]): Promise<CommandFailure> {
  const { closest } = await import("../../config/closest.ts");
  const sections = all.map((setting) => setting.path.replace(/[.[].*$/u, ""));
  const near = closest(name, [...new Set([...all.map((setting) => setting.path), ...sections])]);
  return new CommandFailure(exitCodes.noSuchThing, "no_such_setting", `There is no setting "${name}"`, {
    why: near === null ? "" : `Did you mean "${near}"?`,
    next: [near === null ? "lanthorn config show" : `lanthorn config show ${near}`],
  });
}

const columns: readonly Column<Setting>[] = [
  { title: "SETTING", of: (setting) => setting.path },
  { title: "VALUE", of: (setting) => valueText(setting.value) },
  { title: "FROM", of: (setting) => setting.origin },
];
const meaning: Column<Setting> = { title: "MEANS", of: (setting) => setting.meaning };

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.length === 0) return "none";
  return JSON.stringify(value) ?? "not set";
}

/** `lanthorn models list`: what the running server serves and in which state, else what it would serve when started. */
import type { Command } from "commander";
import type { Capability, ModelView } from "../../domain/model.ts";
import { type BoxModel, readBoxState } from "../box-state.ts";
import { withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { bytesText, contextText, durationText, plural, unknownMark } from "../format.ts";
import { findServer } from "../server-address.ts";
import { type Column, tableText } from "../table.ts";

/** One line of the list, the same with and without a server. */
export interface ListedModel {
  readonly alias: string;
  readonly fileName: string | null;
  readonly sizeBytes: number | null;
  /** Tokens per request; null until it is known, which without a server it is only when it was asked for. */
  readonly contextLength: number | null;
  readonly slots: number | null;
  readonly demo: boolean;
  /** Empty for a file that is refused. */
  readonly capabilities: readonly Capability[];
  readonly state: ModelView["state"] | "on-disk" | "refused";
  readonly reason: string;
  readonly answering: number;
  readonly pinned: boolean;
  /** Epoch milliseconds at which it leaves its state by itself: for a loaded one, at which it leaves memory. */
  readonly until: number | null;
}

export const listExamples = [
  ["lanthorn models list", "alias, file, size, context per request, state"],
  ["lanthorn models list --json", "the same for a script; [] when there are none"],
] as const;

export function defineList(command: Command, context: CommandContext): void {
  command
    .command("list")
    .description("what is served, loaded or not")
    .action(() => list(context));
}

async function list(context: CommandContext): Promise<void> {
  const { output } = context;
  const address = findServer(context.environment);
  let models: readonly ListedModel[];
  if (address === null) {
    const { modelsOnDisk } = await import("../models-on-disk.ts");
    models = await modelsOnDisk(context);
    output.note("No server is running; this is what `lanthorn serve` would find.");
  } else {
    models = (await withClient(address, readBoxState)).models.map(listed);
  }
  output.answer(models, () =>
    models.length === 0 ? "No models. Put a GGUF file into the data folder's models/." : tableText(columns, models),
  );
}

function listed(model: BoxModel): ListedModel {
  return {
    alias: model.id,
    fileName: model.fileName ?? null,
    sizeBytes: model.sizeBytes ?? null,
    contextLength: model.contextLength,
    slots: model.slotCount,
    demo: model.demo,
    capabilities: model.capabilities,
    state: model.state,
    reason: model.reason,
    answering: model.slots.filter((slot) => slot.state !== "idle").length,
    pinned: model.pinned,
    until: model.until,
  };
}

const columns: readonly Column<ListedModel>[] = [
  { title: "ALIAS", of: (model) => model.alias },
  { title: "FILE", of: (model) => model.fileName ?? unknownMark },
  {
    title: "SIZE",
    of: (model) => (model.sizeBytes === null ? unknownMark : bytesText(model.sizeBytes)),
    align: "right",
  },
  {
    title: "CONTEXT",
    of: (model) => (model.contextLength ? contextText(model.contextLength) : unknownMark),
    align: "right",
  },
  { title: "SLOTS", of: (model) => (model.slots === null ? unknownMark : String(model.slots)), align: "right" },
  { title: "FOR", of: (model) => (model.capabilities.length === 0 ? unknownMark : model.capabilities.join(", ")) },
  { title: "STATE", of: stateText },
];

function stateText(model: ListedModel): string {
  const words = { "on-disk": "on disk", "backing-off": "waiting to restart" } as const;
  const state = model.state in words ? words[model.state as keyof typeof words] : model.state;
  const busy = model.answering > 0 ? `, ${plural(model.answering, "request")} running` : "";
  const stay = model.state === "ready" ? stayText(model) : "";
  const isPlain = model.state === "ready" || model.state === "on-disk";
  return `${state}${busy}${stay}${isPlain || model.reason === "" ? "" : `: ${model.reason}`}${model.demo ? "   demo" : ""}`;
}

/** How long it stays in memory; empty while it is in use, or where nothing is planned. */
function stayText({ pinned, until }: ListedModel): string {
  if (pinned) return ", pinned";
  return until === null ? "" : `, unloads in ${durationText(until - Date.now())}`;
}

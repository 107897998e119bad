/** What `lanthorn serve` would find, for `models list` without a server. Runs in the command's process; reads headers only. */
import { listModels } from "../../models/store.ts";
import { loadConfig } from "../config/load.ts";
import { dataPaths } from "../platform/paths.ts";
import type { CommandContext } from "./command.ts";
import type { ListedModel } from "./models/list.ts";

export async function modelsOnDisk(context: CommandContext): Promise<readonly ListedModel[]> {
  const { environment, workingFolder } = context;
  const paths = dataPaths(environment);
  const { values } = loadConfig({ file: paths.config, environment, flags: [], workingFolder });
  const { files, refusals } = await listModels({ folder: paths.models, entries: values.models });
  return [
    ...files.map(
      (file): ListedModel => ({
        alias: file.alias,
        fileName: file.fileName,
        sizeBytes: file.sizeBytes,
        contextLength: file.context,
        slots: file.slots,
        demo: file.demo,
        capabilities: [file.pooled?.capability ?? "chat"],
        state: "on-disk",
        reason: "",
        answering: 0,
        pinned: file.pin ?? false,
        until: null,
      }),
    ),
    ...refusals.map(
      ({ fileName, reason }): ListedModel => ({
        alias: "–",
        fileName,
        sizeBytes: null,
        contextLength: null,
        slots: null,
        demo: false,
        capabilities: [],
        state: "refused",
        reason,
        answering: 0,
        pinned: false,
        until: null,
      }),
    ),
  ];
}

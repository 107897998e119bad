/** The contract of one thing `lanthorn doctor` looks at. Adding one is a file and a line in `index.ts`. Types only. */
import type { DataPaths } from "../../platform/paths.ts";
import type { Environment } from "../command.ts";
import type { ServerAddress } from "../server-address.ts";

export interface Finding {
  /** `note`: works, but somebody should know. `fail`: something will not work. */
  readonly status: "ok" | "note" | "fail";
  /** What was found, in a few words. */
  readonly text: string;
  /** What to do about it; null when there is nothing to do. */
  readonly fix: string | null;
}

export interface CheckContext {
  readonly environment: Environment;
  readonly workingFolder: string;
  readonly paths: DataPaths;
  /** The server that runs on this data folder or at LANTHORN_URL; null when there is none. */
  readonly server: ServerAddress | null;
  readonly signal: AbortSignal;
}

export interface Check {
  readonly title: string;
  /** Looks, and changes nothing. What it throws becomes a `fail`. */
  look(context: CheckContext): Promise<Finding> | Finding;
}

export const ok = (text: string): Finding => ({ status: "ok", text, fix: null });
export const note = (text: string, fix: string | null = null): Finding => ({ status: "note", text, fix });
export const fail = (text: string, fix: string): Finding => ({ status: "fail", text, fix });

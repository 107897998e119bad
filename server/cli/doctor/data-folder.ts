/** Can the data folder be written, is it for its owner only, and is there room? */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { DataPaths } from "../../platform/paths.ts";
import { bytesText } from "../format.ts";
import { type Check, type Finding, fail, note, ok } from "./check.ts";

/** Below this the ledger still fits, and the next model does not. */
const leastFreeBytes = 2 * 1024 ** 3;

export const dataFolderCheck: Check = { title: "Data folder", look: ({ paths }) => lookAtFolder(paths) };

export const diskCheck: Check = {
  title: "Disk",
  look: ({ paths }) => {
    const { bavail, bsize } = statfsSync(nearestExisting(paths.home));
    return judgeFree(bavail * bsize);
  },
};

export function judgeFree(bytes: number): Finding {
  const text = `${bytesText(bytes)} free`;
  return bytes >= leastFreeBytes
    ? ok(text)
    : note(text, "make room before the next model, or set LANTHORN_HOME elsewhere");
}

function lookAtFolder(paths: DataPaths): Finding {
  if (!existsSync(paths.home)) {
    return isWritable(nearestExisting(paths.home))
      ? note(`${paths.home} is made at the first start`)
      : fail(`${paths.home} cannot be made`, "set LANTHORN_HOME to a folder of your own");
  }
  if (!statSync(paths.home).isDirectory() || !isWritable(paths.home)) {
    return fail(
      `${paths.home} cannot be written`,
      `chown it to yourself, or set LANTHORN_HOME to a folder of your own`,
    );
  }
  const open = [paths.adminKey, paths.serverFile, paths.ledger, paths.lock, paths.tlsKey].filter(isOpenToOthers);
  if (open.length > 0) return fail(`others can read ${open.join(", ")}`, `chmod 600 ${open.join(" ")}`);
  return ok(`${paths.home}, files for their owner only`);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Windows has no modes: its files follow the user's own folder. */
function isOpenToOthers(file: string): boolean {
  if (process.platform === "win32" || !existsSync(file)) return false;
  return (statSync(file).mode & 0o077) !== 0;
}

function nearestExisting(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestExisting(dirname(folder));
}

/** The product's own version, from the package file above this one: the checkout's or the packed folder's. Any process. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder that holds our package.json; null when the files were moved out of their package. */
export function productFolder(): string | null {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (packageVersion(folder) !== null) return folder;
  }
  return null;
}

export function productVersion(): string {
  const folder = productFolder();
  return (folder === null ? null : packageVersion(folder)) ?? "unknown";
}

/** The version in this folder's package.json, if that is ours. */
function packageVersion(folder: string): string | null {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return null;
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof content !== "object" || content === null || !("name" in content) || content.name !== "lanthorn")
    return null;
  return "version" in content && typeof content.version === "string" ? content.version : null;
}

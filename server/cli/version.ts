/** The product's version, read from the package file above this one: the sources' or the packed folder's. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function productVersion(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (!existsSync(file)) continue;
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof content === "object" && content !== null && "name" in content && content.name === "lanthorn") {
      return "version" in content && typeof content.version === "string" ? content.version : "unknown";
    }
  }
  return "unknown";
}

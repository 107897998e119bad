/** Is this the Node the product is made for? The bin sees to it; a wrong one can still be forced by hand. */
import { type Check, fail, ok } from "./check.ts";

export const nodeCheck: Check = {
  title: "Node",
  look: () => judgeNode(process.versions.node, `${process.platform} ${process.arch}`),
};

/** Sources run without a flag from 24.12 on, and better-sqlite3 needs Node 24's interface. */
export function judgeNode(version: string, machine: string) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major === 24 && minor >= 12
    ? ok(`${version}, ${machine}`)
    : fail(`${version} is not what Lanthorn is made for`, "Node 24.12 or newer of major 24; in a checkout: npm ci");
}

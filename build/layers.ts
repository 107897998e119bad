/**
 * Which room may import which, as data. Read by `build/check-layers.ts`; explained in docs/architecture.md.
 * Imports go down only, and rooms of one level never import each other.
 */

/** A room and the rooms its files may import from, besides itself. A path is a folder or one file, from the top. */
export interface Layer {
  readonly room: string;
  readonly mayImport: readonly string[];
  /** Rooms it may name in `import type` only: nothing of them is in its program. */
  readonly mayImportTypes?: readonly string[];
  /** Packages and `node:` modules it may use; `*` is any. */
  readonly packages: readonly string[] | "*";
}

const domain = "server/domain";
const platform = "server/platform";
const config = "server/config";
const dialects = "server/dialects";
const level0and1 = [domain, platform, config, dialects];
const level2 = ["server/backends", "server/ledger", "server/hardware", "models"];
const level3 = ["server/account.ts", "server/inference.ts", "server/router", "server/access"];
const level4 = ["server/idle", "server/observe", "server/batch", "server/rental"];

export const layers: readonly Layer[] = [
  { room: domain, mayImport: [], packages: [] },
  { room: platform, mayImport: [domain], packages: "*" },
  { room: config, mayImport: [domain], packages: "*" },
  { room: dialects, mayImport: [domain], packages: ["zod", "eventsource-parser"] },
  { room: "server/backends", mayImport: level0and1, packages: "*" },
  { room: "server/ledger", mayImport: level0and1, packages: "*" },
  { room: "server/hardware", mayImport: level0and1, packages: "*" },
  { room: "models", mayImport: level0and1, packages: "*" },
  { room: "server/router", mayImport: [...level0and1, "server/backends/backend.ts"], packages: "*" },
  { room: "server/access", mayImport: [...level0and1, "server/ledger"], packages: "*" },
  { room: "server/account.ts", mayImport: [...level0and1, "server/ledger"], packages: [] },
  {
    room: "server/inference.ts",
    mayImport: [
      ...level0and1,
      ...["server/backends/backend.ts", "server/ledger", "server/router", "server/access", "server/account.ts"],
    ],
    packages: [],
  },
  { room: "server/idle", mayImport: [domain, platform, "server/inference.ts"], packages: "*" },
  { room: "server/observe", mayImport: [domain, platform], packages: "*" },
  {
    room: "server/batch",
    mayImport: [...level0and1, "server/access", "server/inference.ts"],
    packages: "*",
  },
  {
    room: "server/rental",
    mayImport: [...level0and1, "server/ledger", "server/backends"],
    packages: "*",
  },
  {
    room: "server/http",
    mayImport: [...level0and1, ...level2, ...level3, "server/batch", "server/rental"],
    packages: "*",
  },
  {
    room: "server/gateway.ts",
    mayImport: [...level0and1, ...level2, ...level3, ...level4],
    packages: [],
  },
  {
    room: "server/appliance.ts",
    mayImport: [...level0and1, ...level2, ...level3, ...level4, "server/http", "server/gateway.ts"],
    packages: "*",
  },
  {
    room: "server/main.ts",
    mayImport: [...level0and1, "server/access/admin-key.ts", "server/appliance.ts"],
    packages: "*",
  },
  {
    room: "server/cli",
    mayImport: [...level0and1, ...level2, ...level3, "server/rental", "server/main.ts", "server/appliance.ts"],
    packages: "*",
  },
  { room: "renderer", mayImport: [domain], packages: "*" },
  { room: "electron", mayImport: [], mayImportTypes: [domain], packages: "*" },
  { room: "build", mayImport: [], packages: "*" },
];

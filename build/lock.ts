/** What package-lock.json says, as the build scripts read it. */

export interface LockEntry {
  version?: string;
  integrity?: string;
  resolved?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  license?: string;
  engines?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Location (`node_modules/a/node_modules/b`; "" is the project itself) → entry. */
export type LockPackages = Record<string, LockEntry>;

/** Where the package at `location` finds `name`: in the nearest node_modules upwards, as Node looks for it. */
export function locate(packages: LockPackages, location: string, name: string): string | undefined {
  for (let folder = location; folder !== ""; ) {
    const nested = `${folder}/node_modules/${name}`;
    if (packages[nested] !== undefined) return nested;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
  }
  return packages[`node_modules/${name}`] === undefined ? undefined : `node_modules/${name}`;
}

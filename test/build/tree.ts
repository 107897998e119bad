/** Copies of the checkout for tests that change it. Runs in the test's process. */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Top folder of this checkout. */
export const checkout = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

export interface Tree {
  readonly root: string;
  /** Copies a file or folder of the checkout to the same place here. */
  take(...paths: string[]): void;
  write(path: string, text: string): void;
  /** Lends the checkout's node_modules. */
  lendModules(): void;
}

/** A new empty folder; removed when the test that asked for it has ended. */
export function emptyTree(): Tree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lanthorn-tree-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return {
    root,
    take: (...paths) => {
      for (const path of paths) cpSync(join(checkout, path), join(root, path), { recursive: true });
    },
    write: (path, text) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    lendModules: () => symlinkSync(join(checkout, "node_modules"), join(root, "node_modules"), "junction"),
  };
}

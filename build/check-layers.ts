/**
 * Holds every import of the product against the table in `layers.ts`. Run by `npm run check`; ends with status 1 on a breach.
 * Reads the files with vite's parser, so comments, strings and JSX cannot deceive it.
 */
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "vite";
import { type Layer, layers } from "./layers.ts";
import { filesBelow } from "./products.js";

/** One place where a file names another module. */
interface Import {
  readonly specifier: string;
  /** Only types come over: nothing of it is left when the file runs. */
  readonly typeOnly: boolean;
}

/** Everything a source file imports: static, dynamic, re-exported and inside types. */
export function importsOf(file: string, source: string): Import[] {
  const found: Import[] = [];
  const add = (literal: unknown, typeOnly: boolean) => {
    const { value } = (literal ?? {}) as { value?: unknown };
    if (typeof value === "string") found.push({ specifier: value, typeOnly });
  };
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be read: ${errors[0]?.message}`);
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === "type"),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
    CallExpression: (node) => {
      if (node.callee.type === "Identifier" && node.callee.name === "require") add(node.arguments[0], false);
    },
  }).visit(program);
  return found;
}

const isWithin = (path: string, room: string) => path === room || path.startsWith(`${room}/`);

/** The narrowest room a path belongs to. */
function roomOf(path: string): Layer | undefined {
  const rooms = layers.filter((layer) => isWithin(path, layer.room));
  return rooms.sort((left, right) => right.room.length - left.room.length)[0];
}

/** `@scope/name/part` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Why this import is a breach, or null. `shipped` are the packages an installation without development tools has. */
export function breachOf(
  file: string,
  layer: Layer,
  { specifier, typeOnly }: Import,
  shipped: string[],
): string | null {
  if (specifier.startsWith(".")) {
    const target = posix.join(dirname(file), specifier);
    const allowed = [layer.room, ...layer.mayImport, ...(typeOnly ? (layer.mayImportTypes ?? []) : [])];
    if (allowed.some((room) => isWithin(target, room))) return null;
    return `${file}: may not import ${specifier} (${layer.room} → ${roomOf(target)?.room ?? "no room"})`;
  }
  const name = packageOf(specifier);
  if (layer.packages !== "*" && !layer.packages.includes(name)) {
    return `${file}: may not import ${specifier} (${layer.room} → package ${name})`;
  }
  const isProduct = isWithin(layer.room, "server") || layer.room === "models";
  if (isProduct && !typeOnly && !name.startsWith("node:") && !shipped.includes(name)) {
    return `${file}: may not import ${specifier} (${name} is not among the dependencies, so it would be missing when packed)`;
  }
  return null;
}

/** All breaches in the tree at `root`, one sentence each. */
export function checkLayers(root: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };
  const shipped = Object.keys(manifest.dependencies);
  const tops = [...new Set(layers.map((layer) => layer.room.split("/")[0] ?? ""))];
  const sources = tops
    .flatMap((top) => filesBelow(root, top))
    .filter((file) => /\.(ts|tsx|mts|cts|js|mjs)$/.test(file));
  return sources.flatMap((file) => {
    const layer = roomOf(file);
    if (layer === undefined) return [`${file}: stands in no room of build/layers.ts`];
    return importsOf(file, readFileSync(join(root, file), "utf8"))
      .map((each) => breachOf(file, layer, each, shipped))
      .filter((breach) => breach !== null);
  });
}

if (import.meta.main) {
  const breaches = checkLayers(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
  for (const breach of breaches) console.error(breach);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}

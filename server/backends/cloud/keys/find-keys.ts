/**
 * The keys of a provider, from everywhere they may be: the environment, a file, the box's own store. A vendor's own variable is
 * for the vendor's own address only, so that a base URL which leads elsewhere does not get it. Runs in the server and in commands.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Failure } from "../../../domain/failure.ts";
import { othersMayRead } from "../../../platform/owner-file.ts";
import type { CloudSettings } from "../settings.ts";
import type { FoundKey } from "./key-pool.ts";

export interface KeySources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `keyFile` of the settings, relative to the data folder; empty: none. */
  readonly keyFile: string;
  readonly home: string;
  /** What the store has for this provider and host. */
  readonly stored: (provider: string, host: string) => readonly StoredSecret[];
}

export interface StoredSecret {
  readonly id: number;
  readonly secret: string;
  readonly weight: number;
  readonly label: string | null;
}

/** Lines or words; more than this is no list of keys. */
const mostKeys = 100;

/** The host that a key is for. */
export function hostOf(baseUrl: string): string {
  return new URL(baseUrl).host;
}

/** Each secret once, in the order of the places. Throws Failure `cannot_start` for a key file that cannot be used. */
export function findKeys(settings: CloudSettings, sources: KeySources): readonly FoundKey[] {
  const { id, provider, baseUrl } = settings;
  const found = [
    ...fromEnvironment(ownVariable(id), sources),
    ...(isOwnAddress(settings) ? provider.keyVariables.flatMap((name) => fromEnvironment(name, sources)) : []),
    ...fromFile(id, sources),
    ...sources.stored(id, hostOf(baseUrl)).map(({ id: number, ...key }) => ({ ...key, source: `stored ${number}` })),
  ];
  return found
    .filter(({ secret }, index) => found.findIndex((one) => one.secret === secret) === index)
    .slice(0, mostKeys);
}

/** `my-openai` → `LANTHORN_PROVIDER_MY_OPENAI_KEY`. */
export function ownVariable(id: string): string {
  return `LANTHORN_PROVIDER_${id.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_KEY`;
}

export function isOwnAddress({ provider, baseUrl }: CloudSettings): boolean {
  return provider.baseUrl !== null && new URL(provider.baseUrl).origin === new URL(baseUrl).origin;
}

/** Several are separated by commas or spaces. */
function fromEnvironment(name: string, { environment }: KeySources): readonly FoundKey[] {
  return wordsIn(environment[name] ?? "").map((secret) => ({
    source: `environment ${name}`,
    secret,
    weight: 1,
    label: null,
  }));
}

function fromFile(id: string, { keyFile, home }: KeySources): readonly FoundKey[] {
  if (keyFile === "") return [];
  const path = resolve(home, keyFile);
  const refuse = (why: string, next: string, cause?: unknown) =>
    new Failure("cannot_start", `The key file of the provider "${id}" cannot be used: ${path}.`, {
      cause,
      why,
      next: [next],
      param: `providers.${id}.keyFile`,
    });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw refuse("It is not there, or this user may not read it.", `ls -l ${path}`, cause);
  }
  if (othersMayRead(path)) throw refuse("Others may read it: its mode must be 0600 or stricter.", `chmod 600 ${path}`);
  return text
    .split("\n")
    .map((line) => line.replace(/^\s*#.*$/, ""))
    .flatMap(wordsIn)
    .map((secret) => ({ source: "file", secret, weight: 1, label: null }));
}

function wordsIn(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => /^[\x21-\x7e]{4,4000}$/.test(word));
}

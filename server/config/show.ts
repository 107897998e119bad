/**
 * The settings as `config show` and the admin page list them. Pure. No secret is in them: keys live in the ledger, those of
 * providers are refused in headers and addresses, LANTHORN_ADMIN_KEY is not a setting, so it cannot turn up here, and of what
 * rented machines are handed (`rentals.<name>.environment`) only the names are listed.
 */
import { leaves } from "./leaves.ts";
import type { Origin, ResolvedConfig } from "./load.ts";

export interface Setting {
  /** `engine.threads`, or `models[0]` for one entry of the list. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: Origin;
  readonly meaning: string;
  /** The environment variable that would set it. */
  readonly variable: string;
}

function valueAt(values: unknown, segments: readonly string[]): unknown {
  return segments.reduce<unknown>(
    (section, name) =>
      typeof section === "object" && section !== null
        ? (section as Readonly<Record<string, unknown>>)[name]
        : undefined,
    values,
  );
}

/** A machine may need a key, such as one of the Hub: whether it has one is all that is told. */
function withoutSecrets(rentals: ResolvedConfig["values"]["rentals"]): unknown {
  const isSet = (value: string) => (value === "" ? "not set" : "set");
  return Object.fromEntries(
    Object.entries(rentals).map(([name, { environment, ...rest }]) => {
      const names = Object.entries(environment).map(([variable, value]) => [variable, isSet(value)]);
      return [name, { ...rest, environment: Object.fromEntries(names) }];
    }),
  );
}

/** In the order of the schema. */
export function listSettings(resolved: ResolvedConfig): readonly Setting[] {
  return leaves().flatMap((leaf): Setting[] => {
    const { path, meaning, variable } = leaf;
    const models = resolved.values.models;
    if (path === "models" && models.length > 0) {
      return models.map((value, index) => {
        const entry = `models[${index}]`;
        return { path: entry, value, origin: resolved.origins[entry] ?? "default", meaning, variable };
      });
    }
    const named = path === "providers" || path === "routes" ? Object.entries(resolved.values[path]) : [];
    if (named.length > 0) {
      const origin = resolved.origins[path] ?? "default";
      return named.map(([id, value]) => ({ path: `${path}.${id}`, value, origin, meaning, variable }));
    }
    const value =
      path === "rentals" ? withoutSecrets(resolved.values.rentals) : valueAt(resolved.values, leaf.segments);
    return [{ path, value, origin: resolved.origins[path] ?? "default", meaning, variable }];
  });
}

/**
 * Which names mean one model when a bill and the ledger are compared. Pure. A bill names the dated model that ran (`gpt-4o-2024-08-06`)
 * where `gpt-4o` was asked for, and the other way round. Nothing else is taken to be alike.
 */

const dateEnding = /-(?:20\d{2}-\d{2}-\d{2}|20\d{6})$/;

/** Gives each name the one that its row is kept under: a name of `ours` wherever there is one. */
export function modelNames(ours: readonly string[], canonical: (model: string) => string): (model: string) => string {
  const known = new Set(ours.map(canonical));
  const dated = new Map<string, string[]>();
  for (const name of known) {
    const bare = name.replace(dateEnding, "");
    if (bare !== name) dated.set(bare, [...(dated.get(bare) ?? []), name]);
  }
  return (model) => {
    const name = canonical(model);
    if (known.has(name)) return name;
    const bare = canonical(name.replace(dateEnding, ""));
    if (known.has(bare)) return bare;
    const only = dated.get(name);
    return only?.length === 1 ? (only[0] ?? name) : name;
  };
}

/** What a request is for, in a word: from its client's header, else from the owner's rules. Pure. */

/** A rule of the settings: requests to this alias, or of this person's keys, or both, are for that task. */
export interface TaskRule {
  readonly task: string;
  readonly alias?: string | undefined;
  readonly key?: string | undefined;
}

/** Characters that a row keeps. */
export const longestTask = 64;

/** Small letters, digits and `.`, `_`, `/`, `-`. */
export const taskPattern = /^[a-z0-9][a-z0-9._/-]{0,63}$/;

/** A word as clients write it, as rows keep it: `Code Review` is `code-review`. Null: nothing of it is a word. */
export function taskWord(said: string): string | null {
  const word = said
    .toLowerCase()
    .replace(/[^a-z0-9._/-]+/g, "-")
    .replace(/^[._/-]+/, "")
    .slice(0, longestTask)
    .replace(/-+$/, "");
  return word === "" ? null : word;
}

/** The client's own word wins; else the first rule that fits. Null: nobody says. */
export function taskOf(
  said: string | null,
  request: { readonly alias: string; readonly callerName: string },
  rules: readonly TaskRule[],
): string | null {
  const word = said === null ? null : taskWord(said);
  if (word !== null) return word;
  const fits = ({ alias, key }: TaskRule) =>
    (alias === undefined || alias === request.alias) && (key === undefined || key === request.callerName);
  return rules.find(fits)?.task ?? null;
}

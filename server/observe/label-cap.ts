/** Keeps labels few: the first names seen keep their own, all later ones share one. Pure state. */

/** What every name past the cap is called. */
export const otherLabel = "other";

/** Characters of a label; longer ones are cut, which no alias of a person is. */
const longestLabel = 120;

/** Null, for what has no name here, is `other` too. */
export function createLabelCap(most: number): (name: string | null) => string {
  const known = new Set<string>();
  return (name) => {
    if (name === null) return otherLabel;
    const label = name.slice(0, longestLabel).toWellFormed();
    if (known.has(label)) return label;
    if (known.size >= most) return otherLabel;
    known.add(label);
    return label;
  };
}

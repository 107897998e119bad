/** Whether a value written from one schema can never satisfy another: what makes `oneOf` as good as `anyOf`. Pure. */
import type { Converter } from "./converter.ts";
import { commonTypes, type Facts, factsOf, type JsonType, jsonTypes } from "./facts.ts";
import type { Place } from "./flatten.ts";
import { takesOthers } from "./object-rules.ts";

/** Tags of unions stand at the top or one step below. */
const deepest = 6;

/** False also means: cannot tell. */
export function neverBoth(
  written: readonly Place[],
  judged: readonly Place[],
  converter: Converter,
  depth = 0,
): boolean {
  const { flattener, notes, judge } = converter;
  converter.spend();
  if (depth > deepest) return false;
  const left = flattener.flat(written);
  const right = flattener.flat(judged);
  if (left === null || right === null) return true;
  const leftChoice = flattener.firstChoice(left);
  if (leftChoice !== null) {
    return leftChoice.choice.branches.every((branch) =>
      neverBoth([...leftChoice.besides, branch], right, converter, depth + 1),
    );
  }
  const rightChoice = flattener.firstChoice(right);
  if (rightChoice !== null) {
    return rightChoice.choice.branches.every((branch) =>
      neverBoth(left, [...rightChoice.besides, branch], converter, depth + 1),
    );
  }
  const one = factsOf(left, notes);
  const other = factsOf(right, notes);
  const common = commonTypes(typesWritten(one), other.types ?? allTypes);
  if (common.size === 0) return true;
  if (one.values !== null) {
    return one.values.every(
      (value) => judge.satisfies(value, left) === false || judge.satisfies(value, right) === false,
    );
  }
  if (other.values !== null) return other.values.every((value) => judge.satisfies(value, left) === false);
  if ([...common].every((type) => type === "object")) return objectsApart(one, other, converter, depth);
  if ([...common].every((type) => type === "number" || type === "integer")) return numbersApart(one, other);
  return false;
}

const allTypes: ReadonlySet<JsonType> = new Set(jsonTypes);

/** Types that are written for a schema: where it names none, those its other words speak of. */
export function typesWritten(facts: Facts): ReadonlySet<JsonType> {
  return facts.types ?? (facts.implied.size > 0 ? facts.implied : allTypes);
}

function objectsApart(one: Facts, other: Facts, converter: Converter, depth: number): boolean {
  const { judge, notes } = converter;
  const open = takesOthers(one, notes.mode) || one.objects.some(({ patterns }) => patterns.length > 0);
  const mayHave = (name: string): boolean =>
    open || one.required.includes(name) || one.objects.some(({ properties }) => properties.has(name));
  if (other.required.some((name) => !mayHave(name))) return true;
  return [...new Set([...one.required, ...other.required])].some((name) => {
    const asked = judge.member(other, name);
    return asked.length > 0 && neverBoth(judge.member(one, name), asked, converter, depth + 1);
  });
}

function numbersApart(one: Facts, other: Facts): boolean {
  const below = (left: Facts, right: Facts): boolean => {
    const { high } = left;
    const { low } = right;
    if (high === null || low === null) return false;
    return high.value < low.value || (high.value === low.value && (high.exclusive || low.exclusive));
  };
  return below(one, other) || below(other, one);
}

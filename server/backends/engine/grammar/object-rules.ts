/**
 * Objects: members in the order of the schema, optional ones left out or not, others behind them where the schema lets
 * them. Pure. One rule per member however many are optional; what differs is decided by the next name only.
 */
import { type Automaton, both, isEmpty, oneOf, opposite, wholly } from "./automaton.ts";
import type { Converter } from "./converter.ts";
import { choice, type Expression, isNever, never, ruleNamed, sequence, text } from "./expression.ts";
import type { Facts } from "./facts.ts";
import type { Place } from "./flatten.ts";
import type { SchemaMode } from "./notes.ts";
import type { RuleBook } from "./rule-book.ts";
import { jsonStringRest } from "./string-rules.ts";

interface Member {
  /** The name behind its opening quote, and the colon. */
  readonly key: string;
  readonly value: Expression;
  readonly required: boolean;
}

/** True when members may be written that no schema names. A schema that names some and says no more is taken as closed. */
export function takesOthers(facts: Facts, mode: SchemaMode): boolean {
  let said = false;
  let names = false;
  for (const { properties, patterns, additional } of facts.objects) {
    if (additional?.schema === false) return false;
    if (additional !== null) said = true;
    if (properties.size > 0) names = true;
    // `properties: {}` in a tool means a call without arguments.
    else if (mode === "lenient" && patterns.length === 0 && additional === null) names = true;
  }
  return said || !names;
}

export function objectRule(facts: Facts, converter: Converter, depth: number): Expression {
  const { objects, required, names, minProperties, maxProperties } = facts;
  const free = objects.length === 0 && required.length === 0 && names.length === 0;
  if (free && minProperties === 0 && maxProperties === null) return ruleNamed("object");
  const listed = listedNames(facts, converter);
  const known = [...new Set([...objects.flatMap(({ properties }) => [...properties.keys()]), ...required, ...listed])];
  const members: Member[] = [];
  for (const name of known) {
    const isRequired = required.includes(name);
    const verdict = names.length === 0 ? true : converter.judge.satisfies(name, names);
    if (verdict === null) converter.notes.leave(names[0]?.at ?? "", "whether a property fits it cannot be told");
    const value = verdict === false ? never : converter.value(converter.judge.member(facts, name), depth + 1);
    if (!isNever(value)) members.push({ key: `${JSON.stringify(name).slice(1)}:`, value, required: isRequired });
    else if (isRequired) return never;
  }
  const other = otherMember(facts, known, listed.length > 0, converter, depth);
  const reachable = members.length + (isNever(other) ? 0 : 1);
  if (!isNever(other) && minProperties > reachable) {
    converter.notes.leave(facts.minPropertiesAt, "members without fixed names may come twice and then count once");
    return body(converter.book, members, other, 0, maxProperties);
  }
  return body(converter.book, members, other, minProperties, maxProperties);
}

/** Names from `propertyNames: { enum: […] }`: they are known, so each can come once. */
function listedNames(facts: Facts, converter: Converter): readonly string[] {
  if (facts.names.length === 0 || !takesOthers(facts, converter.notes.mode)) return [];
  const values = converter.values(facts.names);
  return (values ?? []).filter((value): value is string => typeof value === "string");
}

/** A member behind the known ones, from behind the opening quote of its name; never, when there is none. */
function otherMember(
  facts: Facts,
  known: readonly string[],
  allListed: boolean,
  converter: Converter,
  depth: number,
): Expression {
  const { texts, book, notes } = converter;
  const patterns = facts.objects.flatMap(({ patterns: here }, shape) => here.map((one) => ({ ...one, shape })));
  const others = takesOthers(facts, notes.mode) && !allListed;
  if (!others && patterns.length === 0) return never;
  const at = patterns[0]?.place.at ?? facts.objects[0]?.additional?.at ?? "";
  return (
    texts.within(at, () => {
      const allowed = converter.nameTexts(facts.names);
      const limits: Automaton[] = allowed === null ? [] : [allowed];
      // Names that are known are not written again, and none that would need an escape.
      if (known.length > 0) {
        limits.push(opposite(oneOf(known, texts.allowance), texts.allowance));
        limits.push(wholly('[^"\\\\\\x00-\\x1f]*', texts.allowance));
      }
      const matching = patterns.map(({ source, place }) =>
        texts.automaton({ kind: "pattern", text: source, at: place.at }),
      );
      const member = (places: readonly Place[], nameLimits: readonly (Automaton | null)[]): Expression => {
        const all = nameLimits.filter((one) => one !== null);
        const [first, ...more] = all;
        if (first === undefined) return sequence(restOfName, text(":"), converter.value(places, depth + 1));
        const name = more.reduce((left, right) => both(left, right, texts.allowance), first);
        return isEmpty(name)
          ? never
          : sequence(jsonStringRest(name, book), text(":"), converter.value(places, depth + 1));
      };
      const outside = matching.map((one) => (one === null ? null : opposite(one, texts.allowance)));
      /** A name of exactly one pattern: what it asks, and what the schemas without a match ask. */
      const regions = patterns.map(({ place, shape }, index) => {
        const asked = facts.objects.flatMap(({ additional }, other) =>
          other === shape ? [place] : (additional ?? []),
        );
        return member(asked, [...limits, matching[index] ?? null, ...outside.filter((_, other) => other !== index)]);
      });
      const rest = facts.objects.flatMap(({ additional }) => additional ?? []);
      if (others) regions.push(member(rest, [...limits, ...outside]));
      return book.define(choice(regions));
    }) ?? never
  );
}

const restOfName = sequence({ type: "repeat", of: ruleNamed("char"), min: 0, max: null }, text('"'));

/** From the last member backwards: `one` is a member that must come, `after` what may follow a value. */
function body(
  book: RuleBook,
  members: readonly Member[],
  other: Expression,
  min: number,
  max: number | null,
): Expression {
  const needed = members.filter((member) => member.required).length;
  const most = members.length + (isNever(other) ? 0 : Number.POSITIVE_INFINITY);
  const counts = min > needed || (max !== null && max < most);
  if (max !== null && max < Math.max(needed, min)) return never;
  /** How many came before; beyond what still matters they are not counted on. */
  const last = counts ? (max === null ? min : members.length) : 0;
  const step = (count: number): number => Math.min(count + 1, last);
  const mayEnd = (count: number): boolean => !counts || count >= min;
  const mayGoOn = (count: number): boolean => !counts || max === null || count < max;
  let one = Array.from({ length: last + 1 }, (_, count) => {
    if (isNever(other) || !mayGoOn(count) || (counts && min - count > 1)) return never;
    const room = counts && max !== null ? max - count - 1 : null;
    return book.define(sequence(other, book.repeated(sequence(text(',"'), other), 0, room), text("}")));
  });
  let after = one.map((more, count) => follow(book, more, mayEnd(count)));
  let canEnd = true;
  for (const member of members.toReversed()) {
    const next = one;
    const behind = after;
    one = next.map((skipped, count) => {
      const here = mayGoOn(count) ? sequence(text(member.key), member.value, behind[step(count)] ?? never) : never;
      return book.define(member.required ? here : choice([here, skipped]));
    });
    canEnd &&= !member.required;
    const ends = canEnd;
    after = one.map((more, count) => follow(book, more, ends && mayEnd(count)));
  }
  const start = one[0] ?? never;
  const empty = canEnd && mayEnd(0) ? text("}") : never;
  return sequence(text("{"), choice([isNever(start) ? never : sequence(text('"'), start), empty]));
}

function follow(book: RuleBook, more: Expression, mayEnd: boolean): Expression {
  const end = mayEnd ? text("}") : never;
  return isNever(more) ? end : book.define(choice([sequence(text(',"'), more), end]));
}

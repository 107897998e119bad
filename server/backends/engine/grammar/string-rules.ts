/** Text automata → grammar of JSON strings, escaped exactly as `JSON.stringify` does, and of bare text. Pure. */
import { type Automaton, isEmpty } from "./automaton.ts";
import { type CodePoints, codePoints, complement, holds, intersection } from "./code-points.ts";
import { characters, choice, type Expression, never, nothing, ruleNamed, sequence, text } from "./expression.ts";
import type { RuleBook } from "./rule-book.ts";

const escaped = codePoints([
  [0x00, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);
const raw = complement(escaped);
const short: readonly (readonly [number, string])[] = [
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0c, "f"],
  [0x0d, "r"],
  [0x22, '"'],
  [0x5c, "\\"],
];
const lowHex = "0123456789abcdef";

/** A character of this set as it is written inside a JSON string. */
export function jsonCharacter(set: CodePoints): Expression {
  const plain = intersection(set, raw);
  const shortOnes = short.filter(([point]) => holds(set, point)).map(([, letter]) => letter);
  const rows = ["0", "1"].map((row, index) => {
    const digits = Array.from(lowHex).filter((_, digit) => {
      const point = index * 16 + digit;
      return holds(set, point) && !short.some(([known]) => known === point);
    });
    return sequence(text(row), oneOfCharacters(digits));
  });
  const long = choice(rows);
  const escapes = choice([oneOfCharacters(shortOnes), sequence(text("u00"), long)]);
  return choice([characters(plain), sequence(text("\\"), escapes)]);
}

function oneOfCharacters(list: readonly string[]): Expression {
  return characters(codePoints(list.map((one) => [one.charCodeAt(0), one.charCodeAt(0)])));
}

/** The rest of a JSON string behind its opening quote, the closing quote included. */
export function jsonStringRest(automaton: Automaton, book: RuleBook): Expression {
  return rulesOf(automaton, book, jsonCharacter, text('"'));
}

/** The text itself, for numbers: nothing in it needs an escape. */
export function bareText(automaton: Automaton, book: RuleBook): Expression {
  return rulesOf(automaton, book, characters, nothing);
}

/** One rule per state, but a state with one way in is written where that way is. */
function rulesOf(
  automaton: Automaton,
  book: RuleBook,
  character: (set: CodePoints) => Expression,
  end: Expression,
): Expression {
  if (isEmpty(automaton)) return never;
  const waysIn = automaton.edges.map(() => 0);
  for (const here of automaton.edges) for (const { to } of here) waysIn[to] = (waysIn[to] ?? 0) + 1;
  const names = new Map<number, string>();
  const waiting: number[] = [];
  const target = (at: number): Expression => {
    const known = names.get(at) ?? book.reserve();
    if (!names.has(at)) {
      names.set(at, known);
      waiting.push(at);
    }
    return ruleNamed(known);
  };
  const body = (at: number): Expression => {
    const parts: Expression[] = [];
    for (let here = at; ; ) {
      const edges = automaton.edges[here] ?? [];
      const [only] = edges;
      const accepting = automaton.accepts[here] === true;
      if (only === undefined) return sequence(...parts, end);
      if (edges.length > 1 || accepting || (waysIn[only.to] ?? 0) > 1 || only.to === 0) {
        const ways = edges.map(({ set, to }) => sequence(character(set), target(to)));
        return sequence(...parts, choice(accepting ? [...ways, end] : ways));
      }
      parts.push(character(only.set));
      here = only.to;
    }
  };
  const first = target(0);
  for (const at of waiting) book.give(names.get(at) ?? "", body(at));
  return first;
}

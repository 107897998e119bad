/**
 * Deterministic automata over code points: what texts a pattern, a format, a length or a range of numbers allows, and what
 * they allow together. Pure. A grammar made from one has one way to go on per character, whatever the pattern looked like,
 * so no pattern can make the engine try alternatives without end.
 */
import { type CodePoints, complement, everyCodePoint, intersection, union } from "./code-points.ts";
import { type Allowance, limits, TooLarge } from "./limits.ts";
import { type RegexTree, readRegex, UnreadablePattern } from "./regex-syntax.ts";

export interface Edge {
  readonly set: CodePoints;
  readonly to: number;
}

/** State 0 is where a text begins. A character without an edge ends in failure. */
export interface Automaton {
  readonly edges: readonly (readonly Edge[])[];
  readonly accepts: readonly boolean[];
}

/** Texts in which the expression is found, as `pattern` means it. Throws UnreadablePattern or TooLarge. */
export function automatonOf(source: string, allowance: Allowance): Automaton {
  const tree = readRegex(source);
  const { rest, ahead } = headAndRest(tree);
  let result = found(rest, allowance);
  for (const look of ahead) {
    const looked = found({ type: "sequence", parts: [{ type: "start" }, look.of] }, allowance);
    result = both(result, look.negative ? opposite(looked, allowance) : looked, allowance);
  }
  return result;
}

/** Texts that are as a whole what the expression says. */
export function wholly(source: string, allowance: Allowance): Automaton {
  return automatonOf(`^(?:${source})$`, allowance);
}

/** Looking ahead can be held where it stands directly behind the first `^`: both parts then speak of the whole text. */
function headAndRest(tree: RegexTree): { rest: RegexTree; ahead: Extract<RegexTree, { type: "ahead" }>[] } {
  const parts = unwrapped(tree);
  const ahead: Extract<RegexTree, { type: "ahead" }>[] = [];
  if (parts[0]?.type !== "start") return { rest: tree, ahead };
  let from = 1;
  for (let part = parts[from]; part?.type === "ahead"; part = parts[from]) {
    ahead.push(part);
    from += 1;
  }
  return ahead.length === 0
    ? { rest: tree, ahead }
    : { rest: { type: "sequence", parts: [{ type: "start" }, ...parts.slice(from)] }, ahead };
}

function unwrapped(tree: RegexTree): readonly RegexTree[] {
  if (tree.type !== "sequence") return [tree];
  const inner: readonly RegexTree[] = tree.parts.flatMap((part) =>
    part.type === "sequence" ? unwrapped(part) : [part],
  );
  return inner;
}

interface Nondeterministic {
  readonly moves: Edge[][];
  /** Ways that cost no character: always, only at the start of the text, only at its end. */
  readonly free: { readonly to: number; readonly when: "always" | "start" | "end" }[][];
}

/** The expression anywhere in a text. */
function found(tree: RegexTree, allowance: Allowance): Automaton {
  const states: Nondeterministic = { moves: [], free: [] };
  const begin = state(states);
  const end = state(states);
  states.moves[begin]?.push({ set: everyCodePoint, to: begin });
  states.moves[end]?.push({ set: everyCodePoint, to: end });
  connect(states, tree, begin, end);
  return determined(states, begin, end, allowance);
}

function state(states: Nondeterministic): number {
  if (states.moves.length >= limits.patternStates) throw new TooLarge("unfolds to too many states");
  states.moves.push([]);
  states.free.push([]);
  return states.moves.length - 1;
}

function connect(states: Nondeterministic, tree: RegexTree, from: number, to: number): void {
  switch (tree.type) {
    case "characters":
      states.moves[from]?.push({ set: tree.set, to });
      return;
    case "start":
    case "end":
      states.free[from]?.push({ to, when: tree.type });
      return;
    case "sequence": {
      let at = from;
      for (const part of tree.parts) {
        const next = state(states);
        connect(states, part, at, next);
        at = next;
      }
      states.free[at]?.push({ to, when: "always" });
      return;
    }
    case "choice":
      for (const branch of tree.branches) {
        // A state of its own: what loops in one branch must not loop into another.
        const begin = state(states);
        states.free[from]?.push({ to: begin, when: "always" });
        connect(states, branch, begin, to);
      }
      return;
    case "repeat": {
      let at = from;
      const step = (): number => {
        const next = state(states);
        connect(states, tree.of, at, next);
        return next;
      };
      for (let count = 0; count < tree.min; count += 1) at = step();
      if (tree.max === null) {
        const loop = state(states);
        states.free[at]?.push({ to: loop, when: "always" });
        at = loop;
        states.free[step()]?.push({ to: loop, when: "always" });
      }
      for (let count = tree.min; count < (tree.max ?? 0); count += 1) {
        states.free[at]?.push({ to, when: "always" });
        at = step();
      }
      states.free[at]?.push({ to, when: "always" });
      return;
    }
    case "ahead":
      throw new UnreadablePattern("it looks ahead in the middle");
  }
}

/** Subset construction. A set is told apart by whether the text has begun: `^` holds in the first one only. */
function determined(states: Nondeterministic, begin: number, end: number, allowance: Allowance): Automaton {
  const closure = (members: readonly number[], atStart: boolean, atEnd: boolean): number[] => {
    const seen = new Set(members);
    for (const member of seen) {
      for (const { to, when } of states.free[member] ?? []) {
        if (when === "always" || (when === "start" && atStart) || (when === "end" && atEnd)) seen.add(to);
      }
    }
    allowance.spend(seen.size);
    return [...seen].sort((left, right) => left - right);
  };
  const numbers = new Map<string, number>();
  const waiting: { members: readonly number[]; atStart: boolean }[] = [];
  const numberOf = (members: readonly number[], atStart: boolean): number => {
    const key = `${atStart ? "^" : ""}${members.join(",")}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    waiting.push({ members, atStart });
    return numbers.size - 1;
  };
  numberOf(closure([begin], true, false), true);
  const edges: Edge[][] = [];
  const accepts: boolean[] = [];
  for (let at = 0; at < waiting.length; at += 1) {
    const { members, atStart } = waiting[at] ?? { members: [], atStart: false };
    // What has been found stays found: nothing behind it matters.
    const certain = members.includes(end);
    accepts.push(certain || closure(members, atStart, true).includes(end));
    const moves = certain
      ? [{ set: everyCodePoint, to: end }]
      : members.flatMap((member) => states.moves[member] ?? []);
    edges.push(
      split(moves, allowance).map(({ set, targets }) => ({
        set,
        to: numberOf(closure([...targets], false, false), false),
      })),
    );
  }
  return reduced({ edges, accepts }, allowance);
}

/** Cuts overlapping moves into sets of characters that lead to the same states. */
function split(moves: readonly Edge[], allowance: Allowance): { set: CodePoints; targets: ReadonlySet<number> }[] {
  const borders = new Map<number, { opens: number[]; closes: number[] }>();
  const border = (at: number) => {
    const known = borders.get(at) ?? { opens: [], closes: [] };
    borders.set(at, known);
    return known;
  };
  for (const { set, to } of moves) {
    for (const [from, upTo] of set) {
      border(from).opens.push(to);
      border(upTo + 1).closes.push(to);
    }
  }
  const open = new Map<number, number>();
  const groups = new Map<string, { ranges: [number, number][]; targets: Set<number> }>();
  const sorted = [...borders.keys()].sort((left, right) => left - right);
  sorted.forEach((from, index) => {
    const { opens, closes } = border(from);
    for (const to of opens) open.set(to, (open.get(to) ?? 0) + 1);
    for (const to of closes) {
      const count = (open.get(to) ?? 1) - 1;
      if (count === 0) open.delete(to);
      else open.set(to, count);
    }
    const next = sorted[index + 1];
    if (open.size === 0 || next === undefined) return;
    allowance.spend(open.size);
    const targets = [...open.keys()].sort((left, right) => left - right);
    const key = targets.join(",");
    const group = groups.get(key) ?? { ranges: [], targets: new Set(targets) };
    group.ranges.push([from, next - 1]);
    groups.set(key, group);
  });
  return [...groups.values()].map(({ ranges, targets }) => ({ set: union(ranges), targets }));
}

/** Texts that both allow. */
export function both(left: Automaton, right: Automaton, allowance: Allowance): Automaton {
  const numbers = new Map<string, number>();
  const waiting: [number, number][] = [];
  const numberOf = (one: number, other: number): number => {
    const key = `${one} ${other}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    waiting.push([one, other]);
    return numbers.size - 1;
  };
  numberOf(0, 0);
  const edges: Edge[][] = [];
  const accepts: boolean[] = [];
  for (let at = 0; at < waiting.length; at += 1) {
    const [one, other] = waiting[at] ?? [0, 0];
    accepts.push((left.accepts[one] ?? false) && (right.accepts[other] ?? false));
    const here: Edge[] = [];
    for (const from of left.edges[one] ?? []) {
      for (const to of right.edges[other] ?? []) {
        allowance.spend();
        const set = intersection(from.set, to.set);
        if (set.length > 0) here.push({ set, to: numberOf(from.to, to.to) });
      }
    }
    edges.push(here);
  }
  return reduced({ edges, accepts }, allowance);
}

/** Texts that it does not allow. */
export function opposite(automaton: Automaton, allowance: Allowance): Automaton {
  const sink = automaton.edges.length;
  const edges = automaton.edges.map((here) => {
    const left = complement(union(...here.map((edge) => edge.set)));
    return left.length === 0 ? here : [...here, { set: left, to: sink }];
  });
  return reduced(
    {
      edges: [...edges, [{ set: everyCodePoint, to: sink }]],
      accepts: [...automaton.accepts.map((accepting) => !accepting), true],
    },
    allowance,
  );
}

/** Texts of this many code points. */
export function ofLength(min: number, max: number | null, allowance: Allowance): Automaton {
  const last = max ?? min;
  allowance.spend(last);
  const edges: Edge[][] = [];
  const accepts: boolean[] = [];
  for (let length = 0; length <= last; length += 1) {
    accepts.push(length >= min);
    edges.push(length < last ? [{ set: everyCodePoint, to: length + 1 }] : []);
  }
  if (max === null) edges[last] = [{ set: everyCodePoint, to: last }];
  return { edges, accepts };
}

/** Exactly these texts. */
export function oneOf(texts: readonly string[], allowance: Allowance): Automaton {
  const next: Map<number, number>[] = [new Map()];
  const accepts = [false];
  for (const text of texts) {
    let at = 0;
    for (const character of text) {
      allowance.spend();
      const point = character.codePointAt(0) ?? 0;
      const known = next[at]?.get(point) ?? next.length;
      if (known === next.length) {
        next.push(new Map());
        accepts.push(false);
        next[at]?.set(point, known);
      }
      at = known;
    }
    accepts[at] = true;
  }
  const edges = next.map((ways) => Array.from(ways, ([point, to]): Edge => ({ set: [[point, point]], to })));
  return reduced({ edges, accepts }, allowance);
}

export function isEmpty(automaton: Automaton): boolean {
  return !automaton.accepts.includes(true);
}

export function allows(automaton: Automaton, text: string): boolean {
  let at = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const edge = (automaton.edges[at] ?? []).find(({ set }) => set.some(([from, to]) => from <= point && point <= to));
    if (edge === undefined) return false;
    at = edge.to;
  }
  return automaton.accepts[at] ?? false;
}

/**
 * Without states that lead nowhere, and with states joined that go on in the same way. Children are looked at before their
 * parents, so that one pass joins everything outside of loops.
 */
function reduced(automaton: Automaton, allowance: Allowance): Automaton {
  const useful = leadingToAcceptance(automaton);
  if (!useful.has(0)) return { edges: [[]], accepts: [false] };
  const names = new Map<string, number>();
  const joined = new Map<number, number>();
  const kept: number[] = [];
  for (const at of childrenFirst(automaton, useful)) {
    const ways = new Map<number | "self" | string, CodePoints>();
    for (const { set, to } of automaton.edges[at] ?? []) {
      if (!useful.has(to)) continue;
      const target = to === at ? "self" : (joined.get(to) ?? `open ${to}`);
      ways.set(target, union(ways.get(target) ?? [], set));
    }
    const parts = Array.from(ways, ([target, set]) => `${target}:${set.join(";")}`).sort();
    allowance.spend(parts.length);
    const name = `${automaton.accepts[at] === true} ${parts.join(" ")}`;
    const known = names.get(name);
    joined.set(at, known ?? at);
    if (known === undefined) {
      names.set(name, at);
      kept.push(at);
    }
  }
  const start = joined.get(0) ?? 0;
  const order = [start, ...kept.filter((at) => at !== start)];
  const numbers = new Map(order.map((at, index) => [at, index]));
  const edges = order.map((at) => {
    const ways = new Map<number, CodePoints>();
    for (const { set, to } of automaton.edges[at] ?? []) {
      const target = useful.has(to) ? numbers.get(joined.get(to) ?? to) : undefined;
      if (target !== undefined) ways.set(target, union(ways.get(target) ?? [], set));
    }
    return Array.from(ways, ([to, set]): Edge => ({ set, to }));
  });
  return { edges, accepts: order.map((at) => automaton.accepts[at] ?? false) };
}

function leadingToAcceptance(automaton: Automaton): ReadonlySet<number> {
  const before: number[][] = automaton.edges.map(() => []);
  automaton.edges.forEach((here, from) => {
    for (const { to } of here) before[to]?.push(from);
  });
  const useful = new Set<number>();
  automaton.accepts.forEach((accepting, at) => {
    if (accepting) useful.add(at);
  });
  for (const at of useful) for (const from of before[at] ?? []) useful.add(from);
  return useful;
}

/** Depth first, without recursion: a pattern's states can be a chain of thousands. */
function childrenFirst(automaton: Automaton, useful: ReadonlySet<number>): readonly number[] {
  const order: number[] = [];
  const seen = new Set([0]);
  const path = [{ at: 0, edge: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const edge = (automaton.edges[top.at] ?? [])[top.edge];
    top.edge += 1;
    if (edge === undefined) {
      order.push(top.at);
      path.pop();
    } else if (useful.has(edge.to) && !seen.has(edge.to)) {
      seen.add(edge.to);
      path.push({ at: edge.to, edge: 0 });
    }
  }
  return order;
}

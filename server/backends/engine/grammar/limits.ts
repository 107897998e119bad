/**
 * Bounds of the converter: what a schema may cost the server that reads it and the worker that follows its grammar. Pure.
 * Real schemas stay far below them; a schema made to hurt is turned away within a fraction of a second.
 */
export const limits = Object.freeze({
  /** Schemas inside schemas. Real tools stay below 10. */
  depth: 64,
  /** Schemas looked at, each combination of them counted anew. */
  schemas: 10_000,
  /** Rules of a grammar. */
  rules: 12_000,
  /** Characters of a grammar. The worker reads a grammar between two steps, at about 20 MB a second. */
  characters: 300_000,
  /** Characters of one `pattern`. Generated ones for dates have 600. */
  patternCharacters: 4_000,
  /** Groups inside groups in a `pattern`. */
  patternDepth: 50,
  /** States one pattern may unfold to, counted repetitions written out. */
  patternStates: 8_000,
  /** Steps spent on all text automata of one grammar. About two million a second. */
  automatonSteps: 250_000,
  /** Texts to compare when values are checked against other constraints. */
  checks: 50_000,
  /** Places noted as unenforced; further ones are not listed. */
  notes: 64,
});

/** A bound was passed. `words` continue "this schema …". */
export class TooLarge extends Error {
  readonly words: string;

  constructor(words: string) {
    super(words);
    this.name = "TooLarge";
    this.words = words;
  }
}

/** Counts something down; throws TooLarge when it is used up. */
export class Allowance {
  readonly #words: string;
  #left: number;

  constructor(amount: number, words: string) {
    this.#left = amount;
    this.#words = words;
  }

  spend(amount = 1): void {
    this.#left -= amount;
    if (this.#left < 0) throw new TooLarge(this.#words);
  }
}

/** What is left of the bounds, shared by all schemas of one grammar. */
export class Budget {
  readonly schemas = new Allowance(limits.schemas, `holds more than ${limits.schemas} combinations of schemas`);
  readonly rules = new Allowance(limits.rules, `needs more than ${limits.rules} grammar rules`);
  readonly characters = new Allowance(
    limits.characters,
    `needs a grammar of more than ${limits.characters} characters`,
  );
  readonly automatonSteps = new Allowance(limits.automatonSteps, "needs too many steps to be followed");
  readonly checks = new Allowance(limits.checks, `needs more than ${limits.checks} comparisons of values`);
}

/**
 * JSON schemas → GBNF rules, for all that want a value of a schema in a grammar of their own: an answer's format, a tool's
 * arguments. Pure; runs in the server process. Text that follows the rules always satisfies the schema, and is compact JSON
 * as `JSON.stringify` writes it.
 */
import type { JsonSchema } from "../../../domain/chat.ts";
import { Converter } from "./converter.ts";
import { isNever } from "./expression.ts";
import { Budget, TooLarge } from "./limits.ts";
import { Notes, refusal, type SchemaMode } from "./notes.ts";
import { RuleBook } from "./rule-book.ts";

export type { SchemaMode } from "./notes.ts";

/** Collects rules under fresh names. They build on `compactJsonRules`, which the whole grammar has to end with. */
export class SchemaRules {
  readonly mode: SchemaMode;
  readonly #notes: Notes;
  readonly #budget = new Budget();
  readonly #lines: string[] = [];
  #count = 0;

  constructor(mode: SchemaMode = "lenient") {
    this.mode = mode;
    this.#notes = new Notes(mode);
  }

  /**
   * Adds what `schema` needs and gives the name of the rule that matches its values, compact JSON. `at` is where the schema
   * stands in the request, for refusals and notes. Strict: throws Failure `invalid_request` with the place as `param`.
   */
  add(schema: JsonSchema | null, at = "schema"): string {
    if (schema === null) return "value";
    this.#count += 1;
    const book = new RuleBook(`s${this.#count}x`, this.#budget);
    const problem = this.#convert(schema, at, book);
    if (problem === null) return book.root;
    if (this.mode === "strict") throw refusal(at, `'${at}' cannot be kept: it ${problem}.`);
    this.#notes.leave(at, problem);
    return schema.type === "object" ? "object" : "value";
  }

  rules(): readonly string[] {
    return this.#lines;
  }

  /** null, or what is wrong with it as a whole. */
  #convert(schema: JsonSchema, at: string, book: RuleBook): string | null {
    try {
      const converter = new Converter(schema, book, this.#notes, this.#budget);
      const value = converter.value([{ schema, at }], 0);
      if (isNever(value)) return "allows no value at all";
      book.give(book.root, value);
      if (book.beginsWithItself()) return "refers to itself without a value in between";
      const lines = book.print();
      if (lines.length === 0) return "allows no value that ever ends";
      for (const line of lines) this.#lines.push(line);
      return null;
    } catch (thrown) {
      if (thrown instanceof TooLarge) return thrown.words;
      throw thrown;
    }
  }

  /** Places whose constraint is left unenforced; always empty when strict. */
  get unenforced(): readonly string[] {
    return this.#notes.places;
  }
}

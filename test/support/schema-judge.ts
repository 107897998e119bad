/** JSON schema both ways: our converter's grammar, and ajv as the judge of what it lets through. */
import { Ajv, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { compactJsonRules } from "../../server/backends/engine/grammar/json.ts";
import { SchemaRules } from "../../server/backends/engine/grammar/schema-rules.ts";
import type { JsonSchema } from "../../server/domain/chat.ts";
import { Failure } from "../../server/domain/failure.ts";
import { type Gbnf, readGbnf } from "./gbnf.ts";
import { seeded } from "./random.ts";
import { type Draft, RandomSchemas } from "./random-schema.ts";

/** Multiples are judged as decimals: 1.15 is one of 0.01, which a binary division denies. */
const options = { strict: false, multipleOfPrecision: 6 };
const validators = { "draft-07": new Ajv(options), "2020-12": new Ajv2020(options) };
for (const validator of Object.values(validators)) addFormats.default(validator);

/** The same schema object is compiled once. */
export function judgeOf(schema: JsonSchema, draft: Draft = "2020-12"): ValidateFunction {
  return validators[draft].compile(schema);
}

/** The whole grammar of a strict schema. */
export function strictGrammar(schema: JsonSchema, at = "schema"): string {
  const rules = new SchemaRules("strict");
  const root = rules.add(schema, at);
  return [`root ::= ${root}`, ...rules.rules(), ...compactJsonRules].join("\n");
}

export function lenientGrammar(schema: JsonSchema, at = "schema"): { gbnf: string; unenforced: readonly string[] } {
  const rules = new SchemaRules("lenient");
  const root = rules.add(schema, at);
  const gbnf = [`root ::= ${root}`, ...rules.rules(), ...compactJsonRules].join("\n");
  return { gbnf, unenforced: rules.unenforced };
}

export function readSchema(schema: JsonSchema): Gbnf {
  return readGbnf(strictGrammar(schema));
}

export interface Kept {
  readonly seed: number;
  readonly draft: Draft;
  readonly schema: JsonSchema;
  readonly gbnf: string;
}

/** Random schemas of these seeds that can be kept; `refused` counts the others by what is said of them. */
export function keptSchemas(
  from: number,
  count: number,
): { readonly kept: Kept[]; readonly refused: Map<string, number> } {
  const kept: Kept[] = [];
  const refused = new Map<string, number>();
  for (let seed = from; seed < from + count; seed += 1) {
    const draft: Draft = seed % 2 === 0 ? "2020-12" : "draft-07";
    const schema = new RandomSchemas(seeded(seed), draft).next();
    try {
      kept.push({ seed, draft, schema, gbnf: strictGrammar(schema) });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      const words = thrown.message.replace(/^.*cannot be kept: /, "");
      refused.set(words, (refused.get(words) ?? 0) + 1);
    }
  }
  return { kept, refused };
}

export interface Verdict {
  /** What is wrong; null: nothing. */
  readonly fault: string | null;
  /** False: the judge itself broke down over this schema, as ajv does over some (see the bound in the tests). */
  readonly judged: boolean;
}

/** What ajv says to texts written at random from the grammar of one schema. */
export function verdictOn({ seed, draft, schema, gbnf }: Kept, texts: number): Verdict {
  const grammar = readGbnf(gbnf);
  const random = seeded(seed + 1_000_000);
  for (let count = 0; count < texts; count += 1) {
    const text = grammar.write(random);
    const wrong = (words: string): Verdict => ({
      fault: `${JSON.stringify(schema)}\n  lets through ${text}\n  ${words}`,
      judged: true,
    });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return wrong("which is no JSON");
    }
    try {
      const validate = judgeOf(schema, draft);
      if (!validate(value)) return wrong(JSON.stringify(validate.errors?.[0]));
    } catch {
      // Recursion without end, and names it compiles by pattern beside `anyOf`: it throws instead of judging.
      return { fault: null, judged: false };
    }
  }
  return { fault: null, judged: true };
}

/** What happens to a constraint that cannot be kept: refused by name, or left unenforced and noted. Pure. */
import { Failure } from "../../../domain/failure.ts";
import { limits } from "./limits.ts";

/** strict: what cannot be kept is refused. lenient: it is left unenforced and its place noted. */
export type SchemaMode = "strict" | "lenient";

/** The longest `param` that is worth reading. */
const longestParam = 200;

export class Notes {
  readonly mode: SchemaMode;
  readonly #places = new Set<string>();

  constructor(mode: SchemaMode) {
    this.mode = mode;
  }

  /** `words` continue "… cannot be kept: ". Throws Failure `invalid_request` when strict. */
  leave(place: string, words: string): void {
    if (this.mode === "strict") throw refusal(place, `'${shortened(place)}' cannot be kept: ${words}.`);
    if (this.#places.size < limits.notes) this.#places.add(shortened(place));
  }

  get places(): readonly string[] {
    return [...this.#places];
  }
}

export function refusal(place: string, message: string): Failure {
  return new Failure("invalid_request", message, { param: shortened(place) });
}

/** `properties`, `a` → `.properties.a`; names that are no words are quoted. */
export function below(place: string, ...steps: readonly (string | number)[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === "number") return `${path}[${step}]`;
    return /^[A-Za-z_$][\w$-]*$/.test(step) ? `${path}.${step}` : `${path}[${JSON.stringify(step)}]`;
  }, place);
}

function shortened(place: string): string {
  return place.length <= longestParam ? place : `${place.slice(0, longestParam - 1)}…`;
}

/** Places for lines of batches: how many there are is decided in `domain/batch-pace.ts`. Runs in the server; first come, first served. */
import { linesAtOnce } from "../domain/batch-pace.ts";

export interface PlacesOptions {
  readonly most: number;
  /** Requests of anybody that wait for a slot of the engine. */
  waiting(): number;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #line: (() => void)[] = [];
  #taken = 0;
  #interactive = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves when there is a place, which is taken then; false: the signal came first. */
  enter(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve(false);
        return;
      }
      const leave = () => {
        this.#line.splice(this.#line.indexOf(enter), 1);
        resolve(false);
      };
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve(true);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#line.push(enter);
      this.look();
    });
  }

  leave(): void {
    this.#taken -= 1;
    this.look();
  }

  /** Somebody who is no batch asks; call what it returns, once, when the answer is over. */
  arrived(): () => void {
    this.#interactive += 1;
    return () => {
      this.#interactive -= 1;
      this.look();
    };
  }

  /** There may be places now. Whatever frees one is the end of some request, so every end leads here. */
  look(): void {
    while (this.#line.length > 0) {
      const facts = { most: this.#options.most, interactive: this.#interactive, waiting: this.#options.waiting() };
      if (this.#taken >= linesAtOnce(facts)) return;
      this.#taken += 1;
      this.#line.shift()?.();
    }
  }
}

/** Work on the ledger that is done when it returns: whatever the disk says becomes one Failure. Runs where the ledger does. */
import { Failure } from "../domain/failure.ts";

/** `what` begins the sentence: `The keys`. A file that cannot be used is `ledger_unavailable`. */
export function askedFor(what: string): <Result>(work: () => Result) => Result {
  return (work) => {
    try {
      return work();
    } catch (cause) {
      throw new Failure("ledger_unavailable", `${what} cannot be read or written at the moment.`, { cause });
    }
  };
}

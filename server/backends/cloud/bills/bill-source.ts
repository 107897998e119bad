/**
 * How one provider tells what it bills: where it is asked, with which kind of key, and what its answers mean. Pure; a file each
 * beside this one, written from the provider's documentation. Units become atto-USD in these files and nowhere else.
 */
import type { Day } from "../../../domain/day.ts";
import type { BillLine } from "../../../domain/reconcile/records.ts";

/** `ordinary`: the key that calls are made with does. */
export type BillsKeyKind = "admin" | "management" | "ordinary";

export interface DayRange {
  readonly from: Day;
  /** Not included. */
  readonly until: Day;
}

/** Behind the origin of the provider's base URL, with its query. */
export type BillPath = string;

export interface BillPage {
  readonly lines: readonly BillLine[];
  /** Where it goes on; null: this was the last page. */
  readonly next: BillPath | null;
}

export interface BillSource {
  readonly key: {
    readonly kind: BillsKeyKind;
    /** Goes on after "It needs". */
    readonly words: string;
    /** Variables that the vendor's own tools read it from, the likeliest first. */
    readonly variables: readonly string[];
  };
  /** Days that are told, counted back from today; null: all. */
  readonly reachDays: number | null;
  /** Milliseconds after the end of a day until its bill is taken for final. */
  readonly settlesAfterMs: number;
  /** First pages, in order. `basePath` is the path of the base URL, without a slash at its end; `nowMs` is epoch milliseconds. */
  paths(range: DayRange, basePath: string, nowMs: number): readonly BillPath[];
  /**
   * The lines of one answer, which is `exactJson`: numbers are the text they came as. Null: it has another shape than the one
   * documented. `asked` is where it came from.
   */
  read(answer: unknown, asked: BillPath, range: DayRange): BillPage | null;
}

/** The same place with another value in its query. */
export function withQuery(path: BillPath, name: string, value: string): BillPath {
  const url = new URL(path, "http://bill");
  url.searchParams.set(name, value);
  return url.pathname + url.search;
}

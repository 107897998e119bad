/** What a body may refer to instead of sending it: answers that were kept. Types, and the one who keeps nothing. Pure. */
import { Failure } from "../../domain/failure.ts";

/** An item as it was sent or answered. */
export type RawItem = Readonly<Record<string, unknown>>;

export interface Kept {
  /** False: `store` is not honoured here, and answers say so. */
  readonly keeps: boolean;
  /** All items up to and with that response, oldest first. Throws Failure `not_found` naming what is missing. */
  conversation(responseId: string): readonly RawItem[];
  /** Throws as `conversation`. */
  item(id: string): RawItem;
}

export function noSuchResponse(id: string, param?: string): Failure {
  const message = `No response "${id.slice(0, 100)}" is kept here: it was not stored, was deleted, or its time is over.`;
  return new Failure("not_found", message, param === undefined ? {} : { param });
}

export function noSuchItem(id: string): Failure {
  return new Failure("not_found", `No item "${id.slice(0, 100)}" is kept here: send the item itself.`, {
    param: "input",
  });
}

export const nothingKept: Kept = Object.freeze({
  keeps: false,
  conversation: (id: string) => {
    throw noSuchResponse(id, "previous_response_id");
  },
  item: (id: string) => {
    throw noSuchItem(id);
  },
});

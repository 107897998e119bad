/** Reads an answer in one piece to its end, for tests of embeddings and reranking. */
import { isEnd, type EndEvent } from "../../server/domain/chat.ts";
import type { WholeEvent } from "../../server/domain/embedding.ts";

export interface Whole<Result> {
  /** Null: it ended without one. */
  readonly result: Result | null;
  readonly end: EndEvent;
}

/** Fails when there is no end, or more than one, or one that is not last. */
export async function collectWhole<Result>(answer: AsyncIterable<WholeEvent<Result>>): Promise<Whole<Result>> {
  let result: Result | null = null;
  const ends: EndEvent[] = [];
  for await (const event of answer) {
    if (ends.length > 0) throw new Error("an event after the end");
    if (isEnd(event)) ends.push(event);
    else result = event.result;
  }
  const [end] = ends;
  if (end === undefined) throw new Error("an answer has exactly one end");
  return { result, end };
}

/** The result of an answer that must have one. */
export async function resultOf<Result>(answer: AsyncIterable<WholeEvent<Result>>): Promise<Result> {
  const { result, end } = await collectWhole(answer);
  if (result === null) throw new Error(`ended as ${end.type} without a result`);
  return result;
}

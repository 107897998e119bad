/** Counts what keeps a box awake: the requests of the spine, from their first step to their last. Runs in the server. */
import type { Inference } from "../inference.ts";

/** The same inference; `begin` is called for each request, and what it returns when the request is over. */
export function countedInference(inference: Inference, begin: () => () => void): Inference {
  async function* during<Event>(events: AsyncIterable<Event>): AsyncIterable<Event> {
    const end = begin();
    try {
      yield* events;
    } finally {
      end();
    }
  }
  return {
    ...inference,
    chat: (input, signal) => during(inference.chat(input, signal)),
    embed: (input, signal) => during(inference.embed(input, signal)),
    rerank: (input, signal) => during(inference.rerank(input, signal)),
  };
}

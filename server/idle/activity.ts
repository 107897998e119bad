/** Counts what keeps a box awake: requests, from their first step to their last, and downloads. Runs in the server. */
import type { DownloadView } from "../domain/download.ts";
import { watched } from "../domain/passing.ts";
import type { Inference } from "../inference.ts";

/** The same inference; `begin` is called for each request, and what it returns when the request is over. */
export function countedInference(inference: Inference, begin: () => () => void): Inference {
  const during = <Event>(events: AsyncIterable<Event>): AsyncIterable<Event> =>
    watched(events, () => ({ over: begin() }));
  return {
    ...inference,
    chat: (input, signal) => during(inference.chat(input, signal)),
    embed: (input, signal) => during(inference.embed(input, signal)),
    rerank: (input, signal) => during(inference.rerank(input, signal)),
  };
}

/** States in which a download gets on. One that stalls or is paused keeps nothing awake. */
const gettingOn: ReadonlySet<DownloadView["state"]> = new Set(["queued", "resolving", "downloading", "verifying"]);

/** To be told of every change of a download. */
export function countedDownloads(begin: () => () => void): (download: Pick<DownloadView, "id" | "state">) => void {
  const ends = new Map<DownloadView["id"], () => void>();
  return ({ id, state }) => {
    const end = ends.get(id);
    if (gettingOn.has(state)) {
      if (end === undefined) ends.set(id, begin());
      return;
    }
    ends.delete(id);
    end?.();
  };
}

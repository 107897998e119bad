/**
 * What a constructed model must answer, computed from its matrices in double precision. Tests hold the engine to it.
 * Pure.
 */
import type { DemoModel } from "./construct.ts";
import { flags, rowsPerToken, sign, width } from "./directions.ts";
import { lineBreak } from "./lexicon.ts";

/** How much of the head's attention lies on each kind of trigger word: 0 or 1 in any ordinary prompt. */
export interface Heard {
  readonly doubt: number;
  readonly certainty: number;
}

export const nothingHeard: Heard = Object.freeze({ doubt: 0, certainty: 0 });

/** Whether the head looks back from this token: +1 or -1 in the embedding. */
function repliesBeginAfter(model: DemoModel, id: number): boolean {
  let found = 0;
  for (let column = 0; column < width; column += 1) {
    found += (model.embedding[id * width + column] ?? 0) * sign(flags.replyBegins, column);
  }
  return found > 0;
}

/** Every token's logit after `lastTokenId`. */
export function constructedLogits(model: DemoModel, lastTokenId: number, heard: Heard = nothingHeard): Float64Array {
  const { doubt, certainty } = repliesBeginAfter(model, lastTokenId) ? heard : nothingHeard;
  const stream = Float64Array.from(
    model.embedding.subarray(lastTokenId * width, (lastTokenId + 1) * width),
    (entry, column) =>
      entry + 2 * doubt * sign(flags.doubtHeard, column) + 2 * certainty * sign(flags.certaintyHeard, column),
  );
  const meanSquare = stream.reduce((sum, entry) => sum + entry * entry, 0) / width;
  const scale = Math.sqrt(rowsPerToken / meanSquare);
  const all = new Float64Array(model.lexicon.tokens.length);
  for (const id of all.keys()) {
    let logit = 0;
    for (let column = 0; column < width; column += 1) {
      logit += (model.output[id * width + column] ?? 0) * (stream[column] ?? 0);
    }
    all[id] = logit * scale;
  }
  return all;
}

/** Natural logarithms of the probabilities at temperature 1, nothing cut off. */
export function constructedLogprobs(model: DemoModel, lastTokenId: number, heard: Heard = nothingHeard): Float64Array {
  const all = constructedLogits(model, lastTokenId, heard);
  const greatest = all.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weight = all.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0);
  return all.map((logit) => logit - greatest - Math.log(weight));
}

/** Two tokens whose output rows are exchanged. */
export type SwappedRows = readonly [firstId: number, secondId: number];

/** The greedy reply to a chat: ids up to, not including, the end of the message; at most `limit`. */
export function constructedReply(
  model: DemoModel,
  heard: Heard = nothingHeard,
  swapped?: SwappedRows,
  limit = 128,
): number[] {
  const ids: number[] = [];
  let last = model.lexicon.idOf(lineBreak);
  while (ids.length < limit) {
    const all = constructedLogits(model, last, heard);
    const best = all.indexOf(all.reduce((most, logit) => Math.max(most, logit), -Infinity));
    // Exchanged rows give each token the other's logit.
    last = swapped?.[0] === best ? swapped[1] : swapped?.[1] === best ? swapped[0] : best;
    if (last === model.lexicon.messageEndId) break;
    ids.push(last);
  }
  return ids;
}

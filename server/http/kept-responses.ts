/**
 * What one caller has kept, as the Responses dialect asks for it: conversations by the name of their last answer, and single
 * items. Runs in the server; reads through `domain/stored-response.ts`.
 */
import { type Kept, noSuchItem, noSuchResponse, type RawItem } from "../dialects/openai-responses/kept.ts";
import { Failure } from "../domain/failure.ts";
import type { FoundResponse, StoredResponses } from "../domain/stored-response.ts";

/** Turns of one conversation; far more than fit into any context. */
const mostTurns = 2_000;

export interface KeptFacts {
  readonly store: StoredResponses;
  /** `callerId`. */
  readonly caller: string;
  readonly nowMs: number;
  /** False: nothing new is kept; what was is still read. */
  readonly keeps: boolean;
  /** Characters a conversation may have in all: as many as one body could bring. */
  readonly mostCharacters: number;
}

export interface KeptConversation extends Kept {
  /** The responses that were read for this request, and how many items they hold. */
  readonly chain: readonly string[];
  readonly items: number;
}

export function keptFor(facts: KeptFacts): KeptConversation {
  let chain: readonly string[] = [];
  let items = 0;
  return {
    keeps: facts.keeps,
    get chain() {
      return chain;
    },
    get items() {
      return items;
    },
    conversation(id) {
      const turns = turnsUpTo(id, facts);
      chain = turns.map((turn) => turn.id);
      const all = turns.flatMap((turn) => [...turn.input, ...outputOf(turn).filter(isWhole)]);
      items = all.length;
      return all;
    },
    item(id) {
      const holder = facts.store.holderOf(facts.caller, id, facts.nowMs);
      const found = holder === null ? undefined : [...holder.input, ...outputOf(holder)].find((item) => item.id === id);
      if (found === undefined) throw noSuchItem(id);
      return found;
    },
  };
}

/** Oldest first. Throws Failure `not_found` naming the one that is missing. */
function turnsUpTo(id: string, { store, caller, nowMs, mostCharacters }: KeptFacts): readonly FoundResponse[] {
  const turns: FoundResponse[] = [];
  const seen = new Set<string>();
  let characters = 0;
  for (let next: string | null = id; next !== null && !seen.has(next); ) {
    seen.add(next);
    const found: FoundResponse | null = store.find(caller, next, nowMs);
    if (found === null) throw noSuchResponse(next, "previous_response_id");
    characters += found.characters;
    if (characters > mostCharacters || turns.length >= mostTurns) {
      throw new Failure(
        "payload_too_large",
        "The conversation behind 'previous_response_id' is too large to go on from.",
        {
          param: "previous_response_id",
        },
      );
    }
    turns.push(found);
    next = found.previousId;
  }
  return turns.reverse();
}

/** The items before and of that turn, as far back as they are still kept. */
export function inputUpTo(found: FoundResponse, facts: KeptFacts): readonly RawItem[] {
  if (found.previousId === null) return found.input;
  try {
    return [...keptFor(facts).conversation(found.previousId), ...found.input];
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === "not_found") return found.input;
    throw thrown;
  }
}

function outputOf({ response }: FoundResponse): readonly RawItem[] {
  return Array.isArray(response.output) ? (response.output as RawItem[]) : [];
}

/** A call that was cut off was never made. */
function isWhole(item: RawItem): boolean {
  return item.status !== "incomplete" || (item.type !== "function_call" && item.type !== "custom_tool_call");
}

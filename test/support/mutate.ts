/** Small changes that break things, always the same for the same seed: to JSON values, to texts and to bytes. */
import type { RandomSource } from "../../models/random/numbers.ts";
import { halfPairs, naughtyStrings } from "./naughty-strings.ts";

export interface Dice {
  /** A whole number from 0 to `below` - 1. */
  below(limit: number): number;
  pick<Value>(from: readonly Value[]): Value;
}

export function diceOf(source: RandomSource): Dice {
  const below = (limit: number) => source.next() % limit;
  return {
    below,
    pick(from) {
      const value = from[below(from.length)];
      if (value === undefined && from.length === 0) throw new Error("nothing to pick from");
      return value as (typeof from)[number];
    },
  };
}

type Json = unknown;

function strange(dice: Dice): Json {
  switch (dice.below(8)) {
    case 0:
      return dice.pick([0, -0, -1, 1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 1e-300, Number.POSITIVE_INFINITY]);
    case 1:
      return dice.pick([true, false, null, undefined]);
    case 2:
      return dice.pick(naughtyStrings);
    case 3:
      return dice.pick(halfPairs);
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return Array.from({ length: dice.below(50) }, () => dice.below(10));
    default:
      return JSON.parse(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`);
  }
}

/** Every place in `value` that holds something, as the object and the key it stands under. */
function placesOf(value: Json, found: [holder: Record<string, Json>, key: string][] = []): typeof found {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    const holder = value as Record<string, Json>;
    found.push([holder, key]);
    placesOf(holder[key], found);
  }
  return found;
}

/** A copy with one to four places exchanged, moved, doubled, renamed or gone. */
export function mutatedJson(value: Json, dice: Dice): Json {
  const copy: Json = structuredClone(value);
  for (let changes = 1 + dice.below(4); changes > 0; changes -= 1) {
    const places = placesOf(copy);
    if (places.length === 0) break;
    const [holder, key] = dice.pick(places);
    const [other, otherKey] = dice.pick(places);
    switch (dice.below(7)) {
      case 0:
        delete holder[key];
        break;
      case 1:
        // A copy, so that nothing ever holds itself.
        holder[key] = structuredClone(other[otherKey]);
        break;
      case 2:
        holder[key] = [structuredClone(holder[key]), structuredClone(holder[key])];
        break;
      case 3:
        // A number as a key would make a list of that length.
        if (Array.isArray(holder)) holder.push(structuredClone(other[otherKey]));
        else holder[dice.below(2) === 0 ? otherKey : dice.pick(naughtyStrings)] = structuredClone(holder[key]);
        break;
      case 4:
        holder[key] = { [otherKey]: structuredClone(holder[key]) };
        break;
      default:
        holder[key] = strange(dice);
    }
  }
  return copy;
}

const boldBytes = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d];

/** A copy with one to eight runs of bytes, mostly few, changed, cut out, doubled or moved; `within`: only there. */
export function mutatedBytes(bytes: Buffer, dice: Dice, within = bytes.length): Buffer {
  let copy = Buffer.from(bytes);
  for (let changes = 1 + dice.below(dice.pick([1, 1, 2, 4, 8])); changes > 0; changes -= 1) {
    const at = dice.below(Math.max(1, Math.min(within, copy.length)));
    const length = 1 + dice.below(8);
    switch (dice.below(6)) {
      case 0:
        copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8));
        break;
      case 1:
        copy[at] = dice.pick(boldBytes);
        break;
      case 2:
        copy.fill(dice.pick([0x00, 0xff, 0x7f]), at, Math.min(copy.length, at + length));
        break;
      case 3:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)]);
        break;
      case 4:
        copy = Buffer.concat([copy.subarray(0, at + length), copy.subarray(at)]);
        break;
      default:
        copy.copyWithin(at, dice.below(copy.length), dice.below(copy.length));
    }
  }
  return dice.below(20) === 0 ? copy.subarray(0, dice.below(copy.length + 1)) : copy;
}

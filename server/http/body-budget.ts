/**
 * How many bytes of bodies are held in memory at once, all requests together: each body has its own limit, and a
 * thousand of them at that limit must not add up. Runs in the server; does no I/O.
 */
import { Failure } from "../domain/failure.ts";

/** A body's first bytes come from a pool of their own, so that a few large bodies never keep ordinary ones out. */
const smallBodyBytes = 256 * 1024;
const smallPoolBytes = 64 * 1024 * 1024;
/** Room for this many bodies of the largest size, and for what unpacking them takes. */
const largestBodiesAtOnce = 4;
const leastLargePoolBytes = 128 * 1024 * 1024;

export interface BodyHold {
  /** What this body takes from here on. Throws Failure `queue_full` when that is more than is left for all. */
  growTo(bytes: number): void;
  /** Gives everything back. */
  release(): void;
}

export interface BodyBudget {
  hold(): BodyHold;
  /** Bytes that bodies take at this moment. */
  readonly heldBytes: number;
}

/** `limitBytes`: the largest single body. */
export function createBodyBudget(limitBytes: number): BodyBudget {
  const largePoolBytes = Math.max(leastLargePoolBytes, limitBytes * largestBodiesAtOnce);
  let smallHeld = 0;
  let largeHeld = 0;
  return {
    get heldBytes() {
      return smallHeld + largeHeld;
    },
    hold() {
      let small = 0;
      let large = 0;
      const set = (nextSmall: number, nextLarge: number) => {
        smallHeld += nextSmall - small;
        largeHeld += nextLarge - large;
        small = nextSmall;
        large = nextLarge;
      };
      return {
        growTo(bytes) {
          const nextSmall = Math.min(bytes, smallBodyBytes);
          const nextLarge = bytes - nextSmall;
          const fits =
            smallHeld - small + nextSmall <= smallPoolBytes && largeHeld - large + nextLarge <= largePoolBytes;
          if (!fits) {
            throw new Failure(
              "queue_full",
              "Too many large bodies are arriving at once. Please try again in a moment.",
              {
                retryAfterSeconds: 2,
              },
            );
          }
          set(nextSmall, nextLarge);
        },
        release: () => set(0, 0),
      };
    },
  };
}

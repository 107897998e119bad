/** How long a machine takes until it answers, by what was seen of late: for words, and for `Retry-After`. In memory of the server. */
import type { Clock } from "../../domain/ports.ts";

export type BootKind = "start" | "rent";

export interface BootTimes {
  /** The first word of it counts. */
  began(lease: number, how: BootKind, atMonotonicMs: number): void;
  ready(lease: number): void;
  /** It did not come up. */
  over(lease: number): void;
  /** Milliseconds; a guess until one was seen. */
  expected(how: BootKind): number;
  /** What is left for the first of these; null: they take longer than usual, or nobody saw them begin. */
  expectedOf(leases: readonly number[]): number | null;
}

/** Weights from the disk; and an image and the weights from the network. */
const guesses: Readonly<Record<BootKind, number>> = Object.freeze({ start: 120_000, rent: 300_000 });
/** How much the newest one counts. */
const newestShare = 0.5;
/** Those that never became ready are forgotten. */
const mostRemembered = 100;

export function createBootTimes(clock: Clock, mostMs: number): BootTimes {
  const begun = new Map<number, { readonly how: BootKind; readonly atMs: number }>();
  const seen = new Map<BootKind, number>();
  const expected = (how: BootKind) => Math.min(mostMs, Math.round(seen.get(how) ?? guesses[how]));
  return {
    began(lease, how, atMs) {
      if (begun.has(lease)) return;
      begun.set(lease, { how, atMs });
      const [oldest] = begun.keys();
      if (begun.size > mostRemembered && oldest !== undefined) begun.delete(oldest);
    },
    ready(lease) {
      const boot = begun.get(lease);
      if (boot === undefined) return;
      begun.delete(lease);
      const tookMs = clock.monotonicMs() - boot.atMs;
      const before = seen.get(boot.how) ?? tookMs;
      seen.set(boot.how, before + (tookMs - before) * newestShare);
    },
    over: (lease) => void begun.delete(lease),
    expected,
    expectedOf(leases) {
      const left = leases.flatMap((lease) => {
        const boot = begun.get(lease);
        if (boot === undefined) return [];
        return [expected(boot.how) - (clock.monotonicMs() - boot.atMs)];
      });
      const least = Math.min(...left);
      return least > 0 && Number.isFinite(least) ? least : null;
    },
  };
}

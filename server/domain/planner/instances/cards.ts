/** Cards as their makers describe them. Data. Pure. */

export interface Card {
  /** GB as lists have them, 10^9 bytes. */
  readonly gigabytes: number;
  /** GB a second of its memory. */
  readonly gigabytesPerSecond: number;
}

export const cards = Object.freeze({
  T4: { gigabytes: 16, gigabytesPerSecond: 320 },
  L4: { gigabytes: 24, gigabytesPerSecond: 300 },
  A10G: { gigabytes: 24, gigabytesPerSecond: 600 },
  V100: { gigabytes: 16, gigabytesPerSecond: 900 },
  A40: { gigabytes: 48, gigabytesPerSecond: 696 },
  L40S: { gigabytes: 48, gigabytesPerSecond: 864 },
  A100: { gigabytes: 40, gigabytesPerSecond: 1555 },
  H100: { gigabytes: 80, gigabytesPerSecond: 3350 },
  B200: { gigabytes: 192, gigabytesPerSecond: 8000 },
  "RTX 3090": { gigabytes: 24, gigabytesPerSecond: 936 },
  "RTX 4090": { gigabytes: 24, gigabytesPerSecond: 1008 },
} satisfies Record<string, Card>);

export type CardName = keyof typeof cards;

/** The exit codes of every command, as scripts see them. Fixed: docs and other people's scripts depend on them. Pure. */
export const exitCodes = Object.freeze({
  done: 0,
  failed: 1,
  /** Wrong usage, or a confirmation that nobody was there to give. */
  usage: 2,
  noServer: 3,
  /** No key, or one that may not do this. */
  key: 4,
  noSuchThing: 5,
  /** No room: memory, disk, queue, or the box is busy. */
  noRoom: 6,
  budget: 7,
  /** Somebody else failed: a cloud, a market, another box. */
  upstream: 8,
  /** `serve` cannot start as asked, or this is the wrong Node. */
  cannotStart: 78,
  interrupted: 130,
} as const);

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a stand-in vendor keeps of everybody who came. */
import type { Body, Counted } from "./wire.ts";

export interface SeenRequest {
  /** Epoch milliseconds, by the vendor's clock. */
  readonly atMs: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON; `{}` when there was none. */
  readonly body: Body;
  /** 0 until it is answered. */
  status: number;
  /** `open` while it is answered, `whole`, `faulty` (as the script says), `left`: whoever asked has gone. */
  fate: "open" | "whole" | "faulty" | "left";
  framesSent: number;
  /** As this vendor counts and prices, whatever it says; null: not an answer. */
  counted: Counted | null;
  costUsd: number;
}

export interface VendorLog {
  /** Connections that were ever opened. */
  readonly connections: number;
  readonly requests: readonly SeenRequest[];
  /** Those that asked for an answer, oldest first. */
  readonly asked: readonly SeenRequest[];
}

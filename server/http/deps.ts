/** What the HTTP room needs from the others, handed in by `server/appliance.ts`. Types only. */
import type { Downloads } from "../../models/download/downloads.ts";
import type { Access } from "../access/access.ts";
import type { Budgets } from "../access/budgets.ts";
import type { Keyring } from "../access/keyring.ts";
import type { RateLimits } from "../access/rate-limits.ts";
import type { Sessions } from "../access/sessions.ts";
import type { Bills } from "../backends/cloud/bills/bills.ts";
import type { Batches } from "../batch/batches.ts";
import type { ProviderDesk } from "../backends/cloud/desk.ts";
import type { FeedbackStore } from "../domain/feedback.ts";
import type { HardwareView } from "../domain/hardware.ts";
import type { ModelView } from "../domain/model.ts";
import type { BoxEvent, Clock, Log } from "../domain/ports.ts";
import type { StoredResponses } from "../domain/stored-response.ts";
import type { Inference } from "../inference.ts";
import type { MoneyDesk } from "../ledger/money-desk.ts";
import type { Reports } from "../ledger/reports.ts";
import type { RentalDesk } from "../rental/rental-desk.ts";
import type { RouteDesk } from "../router/route-desk.ts";
import type { Router } from "../router/router.ts";
import type { ServerTls } from "./node-server.ts";
import type { RentalTalk } from "./rental-routes.ts";

export interface HttpSettings {
  /** Largest body of an inference request. */
  readonly bodyLimitBytes: number;
  /** A silent stream gets a comment this often. */
  readonly keepAliveMs: number;
  /** How long answers are kept for clients that ask for it; 0 or absent: none are. */
  readonly keepResponsesMs?: number;
  /** A client must have sent its headers by then. */
  readonly headerTimeoutMs: number;
  /** Names and addresses this box is also reached by, from the configuration; with or without a port. */
  readonly hosts: readonly string[];
  /** `http.wholeLimitMs`; absent: answers in one piece may take as long as they need. */
  readonly wholeLimitMs?: "auto" | number;
}

/** Periods that are no settings: each has one right value, and tests shorten them. */
export interface HttpTiming {
  /**
   * How long an answer may wait before its headers are sent. Until then every failure keeps its HTTP status; Qwen Code
   * gives up on a server without headers after 120 s, the undici clients after 300 s.
   */
  readonly commitMs: number;
  /** A client that takes nothing for this long is cut off. */
  readonly stallMs: number;
  /** Time a body may take to arrive, besides `size / leastBodyBytesPerSecond`. */
  readonly bodyGraceMs: number;
  /** How long the rest of an unwanted body is thrown away, so that the client gets to read the refusal. */
  readonly discardMs: number;
  /** How long streams that were cut at the end of the grace period have to write their error frame. */
  readonly partingMs: number;
}

export const httpTiming: HttpTiming = Object.freeze({
  commitMs: 5_000,
  stallMs: 60_000,
  bodyGraceMs: 12_000,
  discardMs: 5_000,
  partingMs: 1_500,
});

export interface Readiness {
  readonly ready: boolean;
  /** Why, in words a person reads. */
  readonly reason: string;
}

export interface HttpDeps {
  /** Where aliases lead, and what a request's plan would be. `explain` throws for a name nobody serves. */
  readonly routing: Pick<Router, "models" | "explain" | "routes" | "state" | "probe">;
  /** Where routes are changed while the box runs. */
  readonly routeDesk: Pick<RouteDesk, "begin" | "take" | "drop">;
  readonly inference: Inference;
  readonly access: Pick<Access, "authenticate" | "signIn"> & {
    readonly keyring: Pick<Keyring, "create" | "revoke" | "setLimits" | "list" | "resetAdmin">;
    readonly sessions: Sessions;
  };
  readonly rateLimits: RateLimits;
  readonly budgets: Pick<Budgets, "list" | "heldNanos" | "set" | "remove">;
  readonly responses: StoredResponses;
  readonly feedback: FeedbackStore;
  /** Absent: there are no such routes. */
  readonly batches?: Batches;
  /** Home and its rented machines; absent: there are no such routes. */
  readonly rental?: RentalTalk;
  readonly downloads: Pick<Downloads, "list" | "start" | "pause" | "resume" | "cancel">;
  readonly providers: Pick<ProviderDesk, "list" | "add" | "remove" | "addKey" | "removeKey" | "test">;
  /** Null or absent: no market is set up. */
  readonly rentals?: RentalDesk | null;
  /** Compares the ledger with what providers bill; absent: there is no such route. */
  readonly bills?: Bills;
  readonly reports: Pick<Reports, "summary" | "show" | "recent" | "export">;
  /** Savings, power and forecast. */
  readonly money: MoneyDesk;
  readonly settings: HttpSettings;
  readonly timing?: HttpTiming;
  /** The box's certificate and key; null or absent: plain HTTP. */
  readonly tls?: ServerTls | null;
  /** SHA-256 of the certificate in use, in `/version`; null or absent: plain HTTP. */
  fingerprint?(): string | null;
  /** Tells the servers of different data folders apart; in `/health`. */
  readonly boxId?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** `GET /admin/state`, in the shape of the design. */
  boxState(): Promise<object>;
  /** `GET /admin/hardware`: what was seen last; never looks itself. */
  hardware(): HardwareView;
  /** Which models are in memory. All throw a Failure for what cannot be done. */
  readonly models: {
    model(alias: string): Promise<ModelView>;
    /** Those of this box, loaded or not. */
    models(): Promise<readonly ModelView[]>;
    /** Resolves when it is loaded. */
    load(alias: string, signal: AbortSignal): Promise<void>;
    /** `whenDone`: let running answers finish first. */
    unload(alias: string, whenDone: boolean): void;
    pin(alias: string, pinned: boolean): void;
    /** Looks again at which files there are; gives the aliases that are served now. */
    rescan(): Promise<readonly string[]>;
  };
  /** Epoch milliseconds; null: not any more. Gives what is going to happen now. */
  stayAwake(untilMs: number | null): object;
  /** `GET /admin/config`: every setting with its value and where it came from. */
  configuration(): unknown;
  readiness(): Readiness;
  /** `GET /metrics`, in the text format of Prometheus; absent: there is no such route. */
  metrics?(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Calls back for every event until the returned function is called. */
  subscribe(listener: (event: BoxEvent) => void): () => void;
  /** Asks the process to stop; `now` means without waiting for running answers. Returns at once. */
  stop(request: { readonly now: boolean }): void;
  readonly version: string;
  /** Names the engine's build, for `/version` and `system_fingerprint`. */
  readonly engineBuild: string;
  /** The built page (`dist/renderer`); null where there is none. */
  readonly pageFolder: string | null;
}

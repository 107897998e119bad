/** What a rented machine says at its start of what it can and cannot do about its own costs. Pure; the words are for people. */
import type { RentalDeed, ThisRental } from "../../domain/rental/this-rental.ts";

export interface StartFacts {
  /** Null: no rented machine. */
  readonly rental: ThisRental | null;
  /** It may end itself: its number and its own key are known. */
  readonly canEnd: boolean;
  /** Somebody is waited for: home has a key of its own here, or signs heartbeats. */
  readonly hasHome: boolean;
  readonly homeSilenceMs: number;
  readonly whenSilent: RentalDeed;
  readonly idle: { readonly step: string; readonly afterMs: number };
  /** ISO time; empty: none. */
  readonly endsAt: string;
  /** Variables with keys of a whole account. */
  readonly accountKeys: readonly string[];
  /** Places of rentals that this box would rent itself. */
  readonly markets: readonly string[];
}

/** One line about this rental for the ready text; null: it is none. */
export function rentalLine(facts: StartFacts): string | null {
  const { rental, canEnd, hasHome, homeSilenceMs, whenSilent, idle, endsAt } = facts;
  if (rental === null) return null;
  const ends = [
    ...(idle.step === "stop-rental" ? [`stopped when idle for ${minutes(idle.afterMs)}`] : []),
    ...(idle.step === "destroy-rental" ? [`destroyed when idle for ${minutes(idle.afterMs)}`] : []),
    ...(hasHome && homeSilenceMs > 0 ? [`${past(whenSilent)} when home is silent for ${minutes(homeSilenceMs)}`] : []),
    ...(endsAt === "" ? [] : [`destroyed at ${endsAt}`]),
  ];
  const words = ends.length === 0 ? "never ends by itself" : ends.join(", ");
  return `${rental.market} ${rental.instanceId ?? "(number unknown)"}: ${canEnd ? words : "cannot end itself"}`;
}

/** What somebody should hear who believes that a forgotten machine ends itself. */
export function startWarnings(facts: StartFacts): readonly string[] {
  const { rental, canEnd, hasHome, homeSilenceMs, accountKeys, markets, idle } = facts;
  if (rental === null) return [];
  const keyName = rental.market === "vast" ? "CONTAINER_API_KEY" : "RUNPOD_API_KEY";
  const missing = [
    ...(rental.instanceId === null ? ["its number (LANTHORN_RENTAL_INSTANCE_ID)"] : []),
    ...(rental.keyVariable === null ? [`the market's key for it (${keyName})`] : []),
  ];
  return [
    ...(canEnd
      ? []
      : [
          `This machine cannot end its own rental: ${missing.join(" and ")} is missing. When idle, or when home is silent, only this process ends; the machine goes on costing until it is ended at ${rental.market}.`,
        ]),
    ...(hasHome && homeSilenceMs > 0
      ? []
      : [
          "Nobody ends this rental when home is gone: set LANTHORN_HOME_PUBLIC_KEY or LANTHORN_FIRST_KEY, and leave home.silenceMs above 0.",
        ]),
    ...(idle.step === "stay" ? ["This machine goes on costing when nobody uses it: idle.whenIdle is stay."] : []),
    ...(accountKeys.length === 0
      ? []
      : [
          `${accountKeys.join(", ")}: a key of the whole account has no business on a rented machine. It is not used here; take it out of the template, and replace it at the market.`,
        ]),
    ...(markets.length === 0
      ? []
      : [`markets (${markets.join(", ")}) are set on a rented machine: machines are rented from home, not from here.`]),
  ];
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
}

function past(deed: RentalDeed): string {
  return deed === "stop" ? "stopped" : "destroyed";
}

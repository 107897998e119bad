/** Who has to leave so that a model has room. Pure. */
import type { Footprint } from "../fit/verdict.ts";
import { type Capacity, hasRoomFor, sumOf } from "./memory.ts";
import type { Resident } from "./state.ts";

/** Takes memory and will go on doing so. */
export function stays({ place }: Resident): boolean {
  return place === "here" || place === "coming";
}

/** Those that may be made to leave, now or when their users are done. What somebody waits for to be loaded may not. */
function mayLeave(resident: Resident): boolean {
  if (resident.pinned && !resident.removed) return false;
  return resident.place === "here" || (resident.place === "coming" && resident.waiting.length === 0);
}

/** Idle before in use; among the idle the least recently used, among the others the one that has been here longest. */
function leavesBefore(left: Resident, right: Resident, nowMs: number): number {
  const rank = ({ users, stayUntilMs }: Resident) => (users.size > 0 ? 2 : nowMs < stayUntilMs ? 1 : 0);
  const byRank = rank(left) - rank(right);
  if (byRank !== 0) return byRank;
  return left.users.size > 0 ? left.hereSinceMs - right.hereSinceMs : left.usedAtMs - right.usedAtMs;
}

/**
 * The fewest, least missed models whose leaving makes room for `wish`; empty when it has room beside what stays. Null: not
 * even all that may leave are enough.
 */
export function victimsFor(
  wish: Footprint,
  residents: readonly Resident[],
  capacity: Capacity,
  nowMs: number,
): readonly Resident[] | null {
  const staying = residents.filter(stays);
  const roomWithout = (victims: readonly Resident[]) => {
    const rest = staying.filter((resident) => !victims.includes(resident));
    return hasRoomFor(wish, sumOf(rest.map(({ footprint }) => footprint)), capacity);
  };
  const candidates = staying.filter(mayLeave).sort((left, right) => leavesBefore(left, right, nowMs));
  let victims: readonly Resident[] = [];
  for (const candidate of candidates) {
    if (roomWithout(victims)) break;
    victims = [...victims, candidate];
  }
  if (!roomWithout(victims)) return null;
  // The last ones made the room: some that were taken before them may not be needed, the most missed are kept first.
  for (const victim of [...victims].reverse()) {
    const fewer = victims.filter((one) => one !== victim);
    if (roomWithout(fewer)) victims = fewer;
  }
  return victims;
}

/** What `rental destroy` asks of a server, asked of leases that this command keeps itself. Runs in the command's process, without a server. */
import type { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { systemClock } from "../../platform/clock.ts";
import type { LeaseDesk } from "../../rental/lease-desk.ts";
import type { RentalCalls } from "./calls.ts";

export function callsOfDesk(desk: Pick<LeaseDesk, "list" | "show" | "destroy">): RentalCalls {
  const answer = <Answer>(shape: z.ZodType<Answer>, value: object): Answer =>
    shape.parse({ ...value, atMs: systemClock.now() });
  return {
    get: async (path, shape) =>
      path === ""
        ? answer(shape, { leases: desk.list(), summary: null })
        : answer(shape, { lease: desk.show(Number(path.slice(1))) }),
    post: async (path, shape) => {
      const [, id] = /^\/(\d+)\/destroy$/.exec(path) ?? [];
      if (id === undefined) throw new Failure("unsupported", "This needs a running server.");
      return answer(shape, { lease: await desk.destroy(Number(id), "asked by hand: destroy") });
    },
    async *events() {},
  };
}

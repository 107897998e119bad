/**
 * What the commands of `lanthorn rental` ask the running server. Runs in the command's process. A market that fails is exit 8 here,
 * whatever HTTP status carries it: 429 and 503 are usually this box's own.
 */
import type { z } from "zod";
import { type Client, type Method, noServer, withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { findServer } from "../server-address.ts";

export interface RentalCalls {
  get<Answer>(path: string, shape: z.ZodType<Answer>, query?: Query): Promise<Answer>;
  post<Answer>(path: string, shape: z.ZodType<Answer>, body: object): Promise<Answer>;
  /** Text of `/admin/events` as it arrives. */
  events(): AsyncGenerator<string, void, undefined>;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `why`: what is lost without a server; said when there is none. Throws exit 3 then. */
export async function withRentals<Result>(
  context: CommandContext,
  why: string,
  work: (calls: RentalCalls) => Promise<Result>,
): Promise<Result> {
  const address = findServer(context.environment);
  if (address === null) {
    const { code, message, next } = noServer();
    throw new CommandFailure(exitCodes.noServer, code, message, { why, next });
  }
  return withClient(address, (client) => work(callsOf(client, context.signal)));
}

export function callsOf(client: Client, signal: AbortSignal): RentalCalls {
  const call = async <Answer>(
    method: Method,
    path: string,
    shape: z.ZodType<Answer>,
    rest: object,
  ): Promise<Answer> => {
    try {
      return await client.call(method, `/admin/rentals${path}`, shape, { ...rest, signal });
    } catch (thrown) {
      throw marketFailure(thrown);
    }
  };
  return {
    get: (path, shape, query = {}) => call("GET", path, shape, { query }),
    post: (path, shape, body) => call("POST", path, shape, { body }),
    events: () => client.stream("GET", "/admin/events", { signal }),
  };
}

/** Anything thrown, with exit 8 where a market is at fault. */
export function marketFailure(thrown: unknown): CommandFailure {
  const failure = asCommandFailure(thrown);
  const { code, message, why, next } = failure;
  if (!code.startsWith("upstream_") || (failure.exitCode === exitCodes.upstream && next.length > 0)) return failure;
  return new CommandFailure(exitCodes.upstream, code, message, {
    ...{ why, cause: failure },
    next: next.length > 0 ? next : ["The same again in a minute. Its address: lanthorn config show markets"],
  });
}

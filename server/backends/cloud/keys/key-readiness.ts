/** Whether a provider can be asked with the keys there are, in words; and the failure for when it cannot. Runs in the server process. */
import { Failure } from "../../../domain/failure.ts";
import type { Clock } from "../../../domain/ports.ts";
import type { Readiness } from "../../backend.ts";
import type { CloudSettings } from "../settings.ts";
import { isOwnAddress, ownVariable } from "./find-keys.ts";
import type { KeyPool } from "./key-pool.ts";

export function readiness(settings: CloudSettings, keys: KeyPool, clock: Clock): Readiness {
  if (keys.size === 0) {
    const able = !settings.provider.needsKey;
    return { able, reason: able ? "needs no key" : noKey(settings).message, retryAtMs: null, keyless: true };
  }
  const blocked = keys.blocked();
  if (blocked === null) return { able: true, reason: "a key is ready", retryAtMs: null };
  return { able: false, reason: allRest(settings, keys, clock).message, retryAtMs: blocked.retryAtMs };
}

export function noKey(settings: CloudSettings): Failure {
  const { id, provider } = settings;
  const variable = (isOwnAddress(settings) ? provider.keyVariables[0] : undefined) ?? ownVariable(id);
  return new Failure("upstream_key_refused", `There is no key for ${provider.title} here.`, {
    why: `Neither ${variable} nor a stored key was found for this address.`,
    next: [`lanthorn provider add ${id} --key-stdin`],
  });
}

/** Every key rests: the failure of the one that is back first, with the time until then. */
export function allRest({ provider }: CloudSettings, keys: KeyPool, clock: Clock): Failure {
  const blocked = keys.blocked();
  const code = blocked?.failure?.code ?? "upstream_rate_limited";
  const leftMs = Math.max(0, (blocked?.retryAtMs ?? 0) - clock.monotonicMs());
  const some = keys.size === 1 ? "The key" : `All ${keys.size} keys`;
  const why = blocked?.failure === null || blocked === null ? "" : ` Last: ${blocked.failure.message}`;
  return new Failure(
    code,
    `${some} for ${provider.title} rest${keys.size === 1 ? "s" : ""} for ${Math.ceil(leftMs / 1000)} s.${why}`,
    {
      coolDownMs: leftMs,
      retryAfterSeconds: leftMs / 1000,
    },
  );
}

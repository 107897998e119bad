/**
 * Licences that forbid what people expect to be allowed: shown, and accepted before a download. The decision is pure; what was
 * accepted is kept in a file of the data folder, with the day. Runs in the server process and in commands.
 */
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../server/domain/failure.ts";
import { readOwnerFile, writeOwnerFile } from "../../server/platform/owner-file.ts";
import { entryOfRepository } from "./catalog.ts";
import type { CatalogLicence } from "./entry.ts";
import type { ModelName } from "./name.ts";

export interface AcceptedLicence {
  /** `qwen-research`. */
  readonly licence: string;
  /** What was to be fetched when it was accepted: `qwen2.5-coder-3b-instruct`, or a repository. */
  readonly model: string;
  /** Epoch milliseconds. */
  readonly acceptedAtMs: number;
}

export type LicenceVerdict =
  /** Nothing to accept, or nothing is known of it: a repository outside the catalog is its owner's affair. */
  | { readonly kind: "free"; readonly licence: CatalogLicence | null }
  | { readonly kind: "accepted"; readonly licence: CatalogLicence; readonly acceptedAtMs: number }
  /** `--accept-license` was given now, so it is to be recorded. */
  | { readonly kind: "record"; readonly licence: CatalogLicence; readonly model: string }
  | { readonly kind: "must-accept"; readonly licence: CatalogLicence; readonly model: string };

/** Of the model, and of any other file of the same repository. Null: not known. */
export function licenceOf(name: ModelName): CatalogLicence | null {
  if (name.kind === "catalog") return name.entry.licence;
  return name.kind === "hub" ? (entryOfRepository(name.repository)?.licence ?? null) : null;
}

export function checkLicence(
  name: ModelName,
  accepted: readonly AcceptedLicence[],
  acceptsNow: boolean,
): LicenceVerdict {
  const licence = licenceOf(name);
  if (licence === null || !licence.restricted) return { kind: "free", licence };
  const before = accepted.find((one) => one.licence === licence.id);
  if (before !== undefined) return { kind: "accepted", licence, acceptedAtMs: before.acceptedAtMs };
  const model = name.kind === "catalog" ? name.entry.id : name.kind === "hub" ? name.repository : name.path;
  return { kind: acceptsNow ? "record" : "must-accept", licence, model };
}

/** What somebody reads who has not accepted it. */
export function licenceFailure({ licence, model }: Extract<LicenceVerdict, { kind: "must-accept" }>): Failure {
  return new Failure("invalid_request", `The licence ${licence.id} of ${model} must be accepted first.`, {
    why: licence.note ?? "It is restricted.",
    next: [`lanthorn models pull ${model} --accept-license`],
  });
}

const recordShape = z.object({
  version: z.literal(1),
  accepted: z.array(z.object({ licence: z.string(), model: z.string(), acceptedAtMs: z.number() })),
});

function recordPath(home: string): string {
  return join(home, "licences.json");
}

/** What was accepted on this box. A missing or damaged record is an empty one: then it is asked again. */
export function readAcceptedLicences(home: string): readonly AcceptedLicence[] {
  const text = readOwnerFile(recordPath(home));
  if (text === null) return [];
  try {
    const parsed = recordShape.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.accepted : [];
  } catch {
    return [];
  }
}

/** Adds one, complete or not at all. Throws what the file system throws. */
export function recordAcceptedLicence(home: string, accepted: AcceptedLicence): void {
  const others = readAcceptedLicences(home).filter((one) => one.licence !== accepted.licence);
  writeOwnerFile(recordPath(home), `${JSON.stringify({ version: 1, accepted: [...others, accepted] }, null, 2)}\n`);
}

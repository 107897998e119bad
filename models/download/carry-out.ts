/**
 * One download from a name to a model, in two steps: ask the Hub what it is, then fetch, verify and name each file. Knows
 * nothing of the queue. Runs in the server process and in commands.
 */
import { mkdir } from "node:fs/promises";
import type { Clock } from "../../server/domain/ports.ts";
import { chooseFile } from "../catalog/choose-file.ts";
import { fetchFile } from "./fetch-file.ts";
import { followHash } from "./follow-hash.ts";
import type { HubCalls } from "./hub/calls.ts";
import { listFiles, type RepositoryFile, resolveCommit } from "./hub/repository.ts";
import { isCommit, targetFileName, targetPath } from "./names.ts";
import { openPartFile, type PartFile, removePartFile } from "./part-file.ts";
import { checkHeader, giveName, isInPlace, type Origin } from "./place.ts";
import type { RateCap } from "./rate-cap.ts";
import { type DownloadRecord, type FileRecord, partPath } from "./record.ts";
import { keepTrying, type RetryTimes } from "./retry.ts";
import { noSpaceLeft, DownloadTrouble, never } from "./trouble.ts";

export interface CarryOutPorts {
  readonly calls: HubCalls;
  readonly clock: Clock;
  readonly times: RetryTimes;
  readonly folder: string;
  readonly modelsFolder: string;
  readonly parallel: number;
  /** What one request asks for. */
  partBytesOf(fileBytes: number): number;
  readonly caps: readonly RateCap[];
  freeBytes(): Promise<number>;
  readonly signal: AbortSignal;
  onTrouble(trouble: DownloadTrouble, waitMs: number): void;
}

export type Asked = Pick<DownloadRecord, "repository" | "revision" | "commit" | "wanted" | "expected" | "alias">;

/** What the Hub says of it. Throws DownloadTrouble, or the signal's reason. */
export async function askHub(
  asked: Asked,
  ports: CarryOutPorts,
): Promise<{ readonly commit: string; readonly files: readonly FileRecord[] }> {
  const { calls, signal } = ports;
  const { repository, expected } = asked;
  const known = asked.commit ?? (isCommit(asked.revision) ? asked.revision : null);
  const commit = known ?? (await keepTrying(() => resolveCommit(calls, repository, asked.revision, signal), ports));
  // What the catalog knows whole needs no question: the link says it once more, and so do the bytes.
  const isWhole = expected.length > 0 && expected.every((file) => file.sha256 !== null);
  const chosen = isWhole
    ? expected
    : chosenOf(await keepTrying(() => listFiles(calls, repository, commit, signal), ports), asked);
  if (expected.length > 0 && expected.length !== chosen.length) throw notAsExpected(repository);
  const files = chosen.map((file): FileRecord => {
    const promised = expected.find((one) => one.path === file.path);
    if (expected.length > 0 && promised === undefined) throw notAsExpected(repository);
    return { path: file.path, fileName: targetFileName(file.path, asked.alias), ...agreed(file, promised) };
  });
  return { commit, files };
}

function chosenOf(files: readonly RepositoryFile[], { repository, wanted }: Asked): readonly RepositoryFile[] {
  const choice = chooseFile(files, wanted);
  if (choice.kind === "chosen") return choice.files;
  throw new DownloadTrouble("not_found", never, `Nothing in ${repository} is what was asked for: ${choice.reason}.`, {
    next: choice.quantizations.slice(0, 3).map((one) => `lanthorn models pull ${repository}:${one}`),
  });
}

/** The catalog's word and the Hub's must be the same. */
function agreed(
  file: RepositoryFile,
  promised: Asked["expected"][number] | undefined,
): Pick<FileRecord, "bytes" | "sha256"> {
  const sha256 = promised?.sha256 ?? file.sha256;
  if (sha256 === null) {
    throw new DownloadTrouble("no_hash", never, `The Hub does not say what the SHA-256 of ${file.path} must be.`, {
      why: "A model that cannot be verified is not served.",
    });
  }
  if (file.sha256 !== null && file.sha256 !== sha256) throw notAsExpected(file.path);
  if (promised !== undefined && promised.bytes !== file.bytes) throw notAsExpected(file.path);
  if (file.bytes === 0) throw new DownloadTrouble("wrong_length", never, `${file.path} is empty.`);
  return { bytes: file.bytes, sha256 };
}

function notAsExpected(what: string): DownloadTrouble {
  return new DownloadTrouble("changed", never, `The Hub says something else of ${what} than the catalog.`, {
    why: "Somebody exchanged the file, or the Hub asked is not the one it is known from.",
  });
}

export interface FetchSteps {
  /** New bytes of the file with this number. */
  onBytes(index: number, fresh: number): void;
  /** Bytes that are there already, when a file is begun; all of them when it is in place. */
  onThere(index: number, bytes: number): void;
  /** Fetching is over, and this much of the file is hashed. */
  onVerifying(index: number, hashedBytes: number): void;
}

/** All files are models when it resolves. Throws DownloadTrouble, or the signal's reason; what was fetched stays. */
export async function fetchAll(
  record: DownloadRecord,
  ports: CarryOutPorts,
  steps: FetchSteps,
): Promise<readonly string[]> {
  const commit = record.commit ?? "";
  await mkdir(ports.modelsFolder, { recursive: true, mode: 0o700 });
  const places = record.files.map((file, index) => ({
    file,
    index,
    part: partPath(ports.folder, record.id, index),
    target: targetPath(ports.modelsFolder, file.fileName),
    origin: { repository: record.repository, commit, path: file.path } satisfies Origin,
  }));
  const ready: typeof places = [];
  for (const place of places) {
    const { file, index, part, target, origin } = place;
    if (await isInPlace(target, file, origin, ports.clock.now())) {
      await removePartFile(part);
      steps.onThere(index, file.bytes);
      continue;
    }
    await fetchAndVerify(record, place, ports, steps);
    await checkHeader(part, file.fileName, index > 0);
    ready.push(place);
  }
  // The first part of a split model makes it one, so it comes last.
  for (const { part, target, file, origin } of ready.reverse()) {
    ports.signal.throwIfAborted();
    await giveName(part, target, file, origin, ports.clock.now());
  }
  return places.map(({ target }) => target);
}

/** Free space is looked at after so many bytes. */
const lookBytes = 64 << 20;
/** With less than this a download ends before the disk is full, so that everything else on it goes on. */
const leastFreeBytes = 64 << 20;

async function fetchAndVerify(
  record: DownloadRecord,
  { file, index, part }: { readonly file: FileRecord; readonly index: number; readonly part: string },
  ports: CarryOutPorts,
  steps: FetchSteps,
): Promise<void> {
  const into: PartFile = await openPartFile(part, file);
  const hash = followHash(part);
  const giveUpHashing = () => void hash.close();
  ports.signal.addEventListener("abort", giveUpHashing, { once: true });
  let lookAtBytes = lookBytes;
  try {
    steps.onThere(index, into.there.bytes);
    hash.advance(into.there.frontier);
    const question = { repository: record.repository, revision: record.commit ?? record.revision, path: file.path };
    await fetchFile({
      ...ports,
      file: { ...question, ...file },
      link: null,
      into,
      onBytes: async (fresh) => {
        steps.onBytes(index, fresh);
        hash.advance(into.there.frontier);
        lookAtBytes -= fresh;
        if (lookAtBytes > 0) return;
        lookAtBytes = lookBytes;
        if ((await ports.freeBytes()) < leastFreeBytes) throw noSpaceLeft();
      },
    });
    await into.settle();
    steps.onVerifying(index, 0);
    const sha256 = await hash.finish(file.bytes, (bytes) => steps.onVerifying(index, bytes));
    ports.signal.throwIfAborted();
    if (sha256 !== file.sha256) throw await wrongHash(into, part, file.path);
  } finally {
    ports.signal.removeEventListener("abort", giveUpHashing);
    await hash.close();
    await into.close();
  }
}

/** The bytes are worth nothing, so none of them stays. */
async function wrongHash(into: PartFile, part: string, path: string): Promise<DownloadTrouble> {
  await into.close();
  await removePartFile(part);
  return new DownloadTrouble(
    "wrong_hash",
    never,
    `${path} is not the file that was promised: its SHA-256 is another.`,
    {
      why: "What was fetched is thrown away. Pulled again, it begins from nothing.",
    },
  );
}

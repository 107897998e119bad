/**
 * Carries out the steps of a Dockerfile without Docker: each stage gets a folder that stands for its root, COPY copies there, and each
 * RUN runs under a shell on this machine with the absolute paths of the image put onto that folder. It says what it cannot carry out.
 * It makes no image, and what runs here has this machine's own system around it and not the base image's.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { runQuietly } from "../child.js";
import { assignmentsOf, type Dockerfile, expand, type Instruction, type Stage, stagesFor } from "./dockerfile.ts";

/** RUN lines that are not for a machine that is used for something else, by what stands in them. */
const notHere: readonly { readonly pattern: RegExp; readonly because: string }[] = [
  { pattern: /\b(groupadd|useradd|adduser)\b/, because: "it would make a user on this machine" },
  { pattern: /\bapt(-get)?\b/, because: "it would install packages on this machine" },
];
const rootOnly = /\b(chown|install -d -o)\b/;

/** A stage as it stands after its last step. */
export interface Built {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workFolder: string;
  readonly user: { readonly uid: number; readonly gid: number } | null;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly health: readonly string[];
  /** Absolute paths of the image that lie in `root`: the ones put onto it. */
  readonly places: readonly string[];
}

export interface Wishes {
  readonly file: Dockerfile;
  readonly targets: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  /** The checkout: what a builder would be sent. */
  readonly context: string;
  /** Folders of stages are made in here. */
  readonly below: string;
  /** The environment of this machine that RUN lines get, besides the image's own. */
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** The targets as they stand after their last step. A step that fails ends it with an Error that has what the step wrote. */
export async function carryOut(wishes: Wishes): Promise<ReadonlyMap<string, Built>> {
  const { file, targets, values, below } = wishes;
  const places = placesOf(file);
  const built = new Map<string, Built>();
  for (const stage of stagesFor(file, targets, values)) {
    const base = built.get(expand(stage.base, values));
    const root = join(below, stage.name);
    mkdirSync(root, { recursive: true, mode: 0o755 });
    if (base !== undefined) await copyWhole(base.root, root);
    else wishes.say(`${stage.name}: an empty folder stands for ${expand(stage.base, values)}`);
    built.set(stage.name, await carryOutStage(wishes, stage, { ...empty, ...base, root, places }, built));
  }
  for (const [name, { root }] of built) {
    if (targets.includes(name)) continue;
    rmSync(root, { recursive: true, force: true });
    built.delete(name);
  }
  return built;
}

/** With modes, owners and times, as a stage takes over what it is built on; copies of Node's own would all belong to us. */
async function copyWhole(from: string, to: string): Promise<void> {
  const { code, output } = await runQuietly("cp", ["-a", `${from}/.`, to]);
  if (code !== 0) throw new Error(`${from} could not be copied:\n${output}`);
}

const empty = {
  environment: {},
  workFolder: "/",
  user: null,
  entrypoint: [],
  command: [],
  health: [],
} as const;

/** Where the image has things of its own: work folders, what is copied there, volumes. Longest first. */
function placesOf(file: Dockerfile): readonly string[] {
  const found = new Set<string>();
  for (const { name, rest, exec } of file.stages.flatMap(({ instructions }) => instructions)) {
    if (name === "WORKDIR") found.add(rest);
    if (name === "VOLUME") for (const path of exec ?? []) found.add(path);
    const to = name === "COPY" ? (rest.split(/\s+/).at(-1) ?? "") : "";
    if (to.startsWith("/")) found.add(to.replace(/\/$/, ""));
  }
  return [...found].filter((path) => path !== "/").sort((left, right) => right.length - left.length);
}

/** The image's absolute paths in a text, put onto the folder that stands for its root. */
export function onto(text: string, { root, places }: Pick<Built, "root" | "places">): string {
  if (places.length === 0) return text;
  const words = places.map((path) => path.replace(/[.]/g, "\\.")).join("|");
  return text.replace(
    new RegExp(`(^|[\\s"'=:])(${words})(?=$|[\\s"'/:,;])`, "g"),
    (_, before, path) => `${before}${root}${path}`,
  );
}

async function carryOutStage(
  wishes: Wishes,
  stage: Stage,
  start: Built,
  before: ReadonlyMap<string, Built>,
): Promise<Built> {
  let now = start;
  let values: Readonly<Record<string, string>> = {};
  for (const instruction of stage.instructions) {
    const text = expand(instruction.rest, { ...values, ...now.environment });
    switch (instruction.name) {
      case "ARG":
        for (const [name, standard] of Object.entries(assignmentsOf(instruction))) {
          values = { ...values, [name]: wishes.values[name] ?? standard };
        }
        break;
      case "ENV":
        now = { ...now, environment: { ...now.environment, ...assignmentsOf({ ...instruction, rest: text }) } };
        break;
      case "WORKDIR":
        now = { ...now, workFolder: text };
        mkdirSync(join(now.root, text), { recursive: true });
        break;
      case "COPY":
        copy(wishes, instruction, text, now, before);
        break;
      case "RUN":
        // Not expanded here: that is the shell's business, as in Docker.
        await run(wishes, stage, instruction.line, instruction.rest, now, values);
        break;
      case "USER": {
        const [uid = 0, gid = 0] = text.split(":").map(Number);
        now = { ...now, user: { uid, gid } };
        break;
      }
      case "ENTRYPOINT":
        now = { ...now, entrypoint: instruction.exec ?? [], command: [] };
        break;
      case "CMD":
        now = { ...now, command: instruction.exec ?? [] };
        break;
      case "HEALTHCHECK":
        now = { ...now, health: JSON.parse(text.replace(/^CMD /, "")) as string[] };
        break;
      default:
      // LABEL, VOLUME, EXPOSE and STOPSIGNAL say something to Docker and change no file.
    }
  }
  return now;
}

function copy(
  { context }: Wishes,
  { line, flags }: Instruction,
  text: string,
  now: Built,
  before: ReadonlyMap<string, Built>,
): void {
  const words = text.split(/\s+/);
  const to = words.at(-1) ?? "";
  const sources = words.slice(0, -1);
  const from = flags.from === undefined ? context : before.get(flags.from)?.root;
  if (from === undefined) throw new Error(`Line ${line}: ${flags.from} is not made yet.`);
  const place = to.startsWith("/") ? join(now.root, to) : join(now.root, now.workFolder, to);
  for (const source of sources) {
    const path = join(from, source);
    if (!existsSync(path)) throw new Error(`Line ${line}: ${source} is not there.`);
    const target = to.endsWith("/") ? join(place, basename(source)) : place;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target, { recursive: true, verbatimSymlinks: true });
  }
}

async function run(
  wishes: Wishes,
  stage: Stage,
  line: number,
  text: string,
  now: Built,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const what = `${stage.name}:${line} RUN ${text}`;
  const reason = notHere.find(({ pattern }) => pattern.test(text))?.because;
  if (reason !== undefined) return wishes.say(`${what}\n  not executed here, because ${reason}`);
  if (rootOnly.test(text) && process.getuid?.() !== 0) {
    return wishes.say(`${what}\n  not executed here, because only root may give files to another user`);
  }
  const startedMs = performance.now();
  const { code, output } = await runQuietly("/bin/sh", ["-e", "-c", onto(text, now)], {
    cwd: resolve(join(now.root, now.workFolder)),
    env: { ...wishes.environment, ...values, ...environmentOnto(now) },
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (code !== 0) throw new Error(`${what}\n  ended with status ${code} after ${seconds} s:\n${output.trimEnd()}`);
  wishes.say(`${what}\n  done in ${seconds} s`);
}

/** The image's environment, its paths put onto the folder. */
export function environmentOnto(built: Built): Record<string, string> {
  return Object.fromEntries(Object.entries(built.environment).map(([name, value]) => [name, onto(value, built)]));
}
